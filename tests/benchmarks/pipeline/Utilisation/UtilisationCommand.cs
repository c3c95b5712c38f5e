using System.CommandLine;
using System.Globalization;
using Parallax.Benchmarks.Common;
using Parallax.Cli.Bench;
using Parallax.Hosting;
using Parallax.PipelineBenchmark.Clusters;
using Parallax.PipelineBenchmark.Load;

namespace Parallax.PipelineBenchmark.Utilisation;

/// <summary><c>utilisation</c>: how much of the time each stage computes while several clients decode.</summary>
internal static class UtilisationCommand
{
    public static RootCommand Create()
    {
        var model = BenchmarkOptions.Model();
        var stages = new Option<int>("--stages") { Description = "Stages, each with one worker process.", DefaultValueFactory = static _ => 2 };
        var clients = new Option<int>("--clients") { Description = "Clients at once.", DefaultValueFactory = static _ => 8 };
        var threads = new Option<int>("--threads") { Description = "Compute threads of each worker.", DefaultValueFactory = static _ => 1 };
        var tokens = BenchmarkOptions.Tokens(192);
        var rounds = BenchmarkOptions.Rounds();
        var command = new RootCommand("Busy fraction of each stage while all clients decode, from the workers' own counters.") { model, stages, clients, threads, tokens, rounds };
        command.SetAction((parsed, cancellationToken) => RunAsync(
            ClusterPlan.Of(
                Path.GetFullPath(parsed.GetRequiredValue(model)),
                BenchmarkOptions.AtLeast("--stages", parsed.GetValue(stages), 1),
                BenchmarkOptions.AtLeast("--threads", parsed.GetValue(threads), 1)),
            BenchmarkOptions.AtLeast("--clients", parsed.GetValue(clients), 1),
            BenchmarkOptions.AtLeast("--tokens", parsed.GetValue(tokens), 2),
            BenchmarkOptions.AtLeast("--rounds", parsed.GetValue(rounds), 1),
            Console.Out,
            cancellationToken));
        return command;
    }

    private static async Task<int> RunAsync(
        ClusterPlan plan, int clients, int tokens, int rounds, TextWriter output, CancellationToken cancellationToken)
    {
        ReportText.WriteHead(output, $"{Path.GetFileName(plan.Model)}, {plan.Stages} stages of {plan.Threads} threads, {clients} clients, {tokens} tokens each, {rounds} rounds");
        await using var cluster = await Cluster.StartAsync(plan, link: null, cancellationToken);
        using var watch = new BusyWatch(cluster.Workers);
        var rate = new Series();
        List<Series> busy = [.. cluster.Workers.Select(static _ => new Series())];
        List<Series> rows = [.. cluster.Workers.Select(static _ => new Series())];
        for (var round = -1; round < rounds; round++)
        {
            var load = new ChatLoad(cluster);
            var running = load.RunAsync(Prompts.Questions(clients, round), tokens, cancellationToken);
            // A load that fails before it gets that far ends the wait, too.
            await Task.WhenAny(load.AllDecode, running);
            var before = await watch.ReadAsync(cancellationToken);
            await Task.WhenAny(load.OneEnds, running);
            var after = await watch.ReadAsync(cancellationToken);
            var result = await running;
            if (round < 0)
            {
                continue;
            }

            rate.Add(result.TokensPerSecond);
            for (var i = 0; i < busy.Count; i++)
            {
                busy[i].Add(100 * after[i].BusyFractionSince(before[i]));
                rows[i].Add(after[i].RowsPerStepSince(before[i]));
            }
        }

        ReportText.WriteTable(
            output,
            ["stage", "busy (%)", "decode rows a step"],
            busy.Select((series, i) => (string[])[i.ToString(CultureInfo.InvariantCulture), Figures.Text(series, "0.0"), Figures.Text(rows[i], "0.0")]));
        output.WriteLine($"all clients: {Figures.Text(rate, "0.0")} tokens/s");
        return ExitCode.Ok;
    }
}
