using System.CommandLine;
using Parallax.Cli.Chaos.Report;
using Parallax.Hosting;

namespace Parallax.Cli.Chaos;

/// <summary><c>parallax chaos</c>.</summary>
internal static class ChaosCommand
{
    public static Command Create()
    {
        var options = new ChaosOptions();
        var command = new ExplainedCommand(
            "chaos",
            "Start a swarm of processes on this machine, send it requests, break it on purpose, and compare every answer with the one without faults.",
            """
            Only processes that this command has started are ever hurt; all of them end with it.

            Examples:
              parallax chaos                                   20 kills of the demo model's workers
              parallax chaos --faults kill,pause,drop,corrupt,partition --faults-total 100 --seed 7
              parallax chaos --model SmolLM2-135M-Instruct.Q4_1.gguf --clients 2 --rate 0.2 --duration 300
              parallax chaos --script faults.txt --json report.json

            A script has a fault a line:
              at 1    kill middle                  also: kill tail restart 5s, kill head restart never
              at 2.5  pause tail 2s
              at 5    slow head 3s 80%             it stands still for 80 % of the time
              at 6    drop head next               the connections between the two are reset
              at 7    corrupt middle tail 5        a bit in each of the next 5 chunks of bytes
              at 8    partition head tail 1s out   both (default), out or back: what passes neither way, from or to the first
            Victims: head, middle, tail, spare, router, random, a worker's id (w0a, w0b, w1a, ...); of two the second may be 'next',
            the worker behind the first. Who plays a role is decided by who has sessions at that moment.

            Exit code: 0 if no answer was lost, changed or stuck, nothing was left behind in a worker, and no process failed; else 1.
            """);
        options.AddTo(command);
        command.SetAction(async (parsed, _) =>
        {
            var plan = options.Read(parsed);
            using var signals = new StopSignals();
            try
            {
                var progress = new ChaosProgress(Console.Error, Console.IsErrorRedirected);
                var report = await new ChaosRun(plan, TimeProvider.System, progress).RunAsync(signals.Asked);
                progress.End();
                Console.Out.Write(report.ToText());
                if (options.JsonPath(parsed) is { } json)
                {
                    await File.WriteAllTextAsync(json, report.ToJson(), signals.Asked);
                }

                return report.IsGood ? ExitCode.Ok : ExitCode.Failed;
            }
            catch (OperationCanceledException) when (signals.Asked.IsCancellationRequested)
            {
                Console.Error.WriteLine("Interrupted; nothing is reported.");
                return Interruption.ExitCode;
            }
        });
        return command;
    }
}
