using System.CommandLine;
using Parallax.Benchmarks.Common;
using Parallax.Hosting;

namespace Parallax.FailoverBenchmark.Gap;

/// <summary><c>gap</c>: how long a client waits when a worker is killed in mid-answer.</summary>
internal static class GapCommand
{
    public static RootCommand Create()
    {
        var shared = new SharedOptions();
        var contexts = new Option<string>("--contexts") { Description = "Tokens of the prompts.", DefaultValueFactory = static _ => "256,1024,4096" };
        var kills = new Option<int>("--kills") { Description = "Kills of each place at each context.", DefaultValueFactory = static _ => 50 };
        var command = new RootCommand("SIGKILL of head, middle and tail in mid-answer: the client's gap, and what it is made of.") { contexts, kills };
        shared.AddTo(command);
        command.SetAction(async (parsed, cancellationToken) =>
        {
            var text = parsed.GetRequiredValue(contexts);
            var lengths = text.Split(',').Select(static word => int.TryParse(word, out var number) ? number : 0).ToList();
            OptionsException.ThrowIfAny(lengths.TrueForAll(static length => length >= 16) ? [] : [$"--contexts: '{text}' is not a list like 256,1024 of numbers from 16 on."]);
            WarmUp.CompileAtOnce();
            var run = new GapRun(shared.Swarm(parsed), lengths, kills.AtLeast(parsed, 1), shared.Seed(parsed), TimeProvider.System);
            return await run.RunAsync(Console.Out, Console.Error, cancellationToken);
        });
        return command;
    }
}
