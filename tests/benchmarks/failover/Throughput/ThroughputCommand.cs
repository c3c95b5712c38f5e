using System.CommandLine;
using System.Globalization;
using Parallax.Benchmarks.Common;
using Parallax.Hosting;

namespace Parallax.FailoverBenchmark.Throughput;

/// <summary><c>throughput</c>: tokens a second while workers fail at a rate per token.</summary>
internal static class ThroughputCommand
{
    public static RootCommand Create()
    {
        var shared = new SharedOptions();
        var rates = new Option<string>("--rates") { Description = "Failures a step (token).", DefaultValueFactory = static _ => "0,1e-4,1e-3,1e-2" };
        var tokens = new Option<int>("--tokens") { Description = "Tokens of each answer.", DefaultValueFactory = static _ => 1024 };
        var rounds = new Option<int>("--rounds") { Description = "Answers of each configuration; they take turns.", DefaultValueFactory = static _ => 5 };
        var giveUp = new Option<int>("--give-up") { Description = "Seconds after which an answer is given up.", DefaultValueFactory = static _ => 180 };
        var command = new RootCommand("One client, long answers, workers that are killed at a rate per token and started again in the background; beside it the same without failover, by a client that asks again from the beginning.") { rates, tokens, rounds, giveUp };
        shared.AddTo(command);
        command.SetAction(async (parsed, cancellationToken) =>
        {
            var text = parsed.GetRequiredValue(rates);
            var list = text.Split(',').Select(static word => double.TryParse(word, NumberStyles.Float, CultureInfo.InvariantCulture, out var rate) ? rate : -1).ToList();
            OptionsException.ThrowIfAny(list.TrueForAll(static rate => rate is >= 0 and < 1) ? [] : [$"--rates: '{text}' is not a list like 0,1e-3 of numbers from 0 to below 1."]);
            WarmUp.CompileAtOnce();
            var run = new ThroughputRun(
                shared.Swarm(parsed), list, tokens.AtLeast(parsed, 2), rounds.AtLeast(parsed, 1),
                TimeSpan.FromSeconds(giveUp.AtLeast(parsed, 1)), shared.Seed(parsed), TimeProvider.System);
            return await run.RunAsync(Console.Out, Console.Error, cancellationToken);
        });
        return command;
    }
}
