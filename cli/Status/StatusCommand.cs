using System.CommandLine;
using Google.Protobuf;
using Parallax.Cli.Swarm;
using Parallax.Contracts.V1;
using Parallax.Hosting;

namespace Parallax.Cli.Status;

/// <summary><c>parallax status</c>.</summary>
internal static class StatusCommand
{
    private static readonly TimeSpan Every = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan CallTime = TimeSpan.FromSeconds(5);

    public static Command Create()
    {
        var address = new Argument<string?>("address") { Description = "A member to ask, HOST:PORT. Default: the one that runs here.", Arity = ArgumentArity.ZeroOrOne };
        var state = new Option<string?>("--state") { Description = "State folder of the member whose certificate is shown. Default: the one there is.", HelpName = "folder" };
        var watch = new Option<bool>("--watch", "-w") { Description = "Show it again each second until Ctrl-C." };
        var json = new Option<bool>("--json") { Description = "As JSON: one object, or with --watch one a line." };
        var command = new ExplainedCommand(
            "status",
            "Workers of the swarm, their layers, state, load and links, and the plan.",
            """
            Examples:
              parallax status
              parallax status --watch
              parallax status 10.0.0.2:7100 --json
            """)
        {
            address, state, watch, json,
        };
        command.SetAction(async (parsed, _) =>
        {
            using var signals = new StopSignals();
            using var member = MemberConnection.Open(parsed.GetValue(address), parsed.GetValue(state));
            return await RunAsync(member, parsed.GetValue(watch), parsed.GetValue(json), signals.Asked);
        });
        return command;
    }

    private static async Task<int> RunAsync(MemberConnection member, bool watch, bool json, CancellationToken stop)
    {
        var client = new Contracts.V1.Swarm.SwarmClient(member.Channel);
        try
        {
            while (true)
            {
                var status = await member.CallAsync(
                    async () => await client.GetStatusAsync(
                        new GetStatusRequest(), deadline: (TimeProvider.System.GetUtcNow() + CallTime).UtcDateTime, cancellationToken: stop),
                    stop);
                if (watch && !json && !Console.IsOutputRedirected)
                {
                    Console.Out.Write("\e[H\e[2J");
                }

                Console.Out.Write(json ? JsonFormatter.Default.Format(status) + "\n" : StatusTable.Format(status));
                await Console.Out.FlushAsync(stop);
                if (!watch)
                {
                    return ExitCode.Ok;
                }

                await Task.Delay(Every, stop);
            }
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            return watch ? ExitCode.Ok : Interruption.ExitCode;
        }
    }
}
