using System.Globalization;
using Parallax.Benchmarks.Common;
using Parallax.Cli.Bench;
using Parallax.Hosting;
using Parallax.PipelineBenchmark.Clusters;
using Parallax.PipelineBenchmark.Load;
using Parallax.PipelineBenchmark.Peer;

namespace Parallax.PipelineBenchmark.Processes;

/// <summary>
/// All configurations stand side by side, idle but for one, and take turns: each round measures each of them once, in an
/// order that turns with the round, after a load that does not count.
/// </summary>
internal sealed class ProcessesRun(
    string model, IReadOnlyList<int> stages, IReadOnlyList<int> clients, int? threads, int tokens, int rounds)
{
    private readonly Dictionary<(int Stages, int Clients), Measured> _results = [];
    private readonly Dictionary<int, Series> _peer = [];
    private readonly AnswerBook _answers = new();

    public async Task<int> RunAsync(RpcPeer? peer, TextWriter output, CancellationToken cancellationToken)
    {
        ReportText.WriteHead(output, $"{Path.GetFileName(model)}, {tokens} tokens a client, {rounds} rounds, threads a worker: {string.Join(", ", stages.Select(count => $"{count} x {BenchmarkOptions.ThreadsOf(threads, count)}"))}");
        var clusters = new List<Cluster>();
        try
        {
            foreach (var count in stages)
            {
                clusters.Add(await Cluster.StartAsync(ClusterPlan.Of(model, count, threads), link: null, cancellationToken));
                await WarmUpAsync(clusters[^1], cancellationToken);
            }

            for (var round = 0; round < rounds; round++)
            {
                foreach (var cluster in clusters.Skip(round % clusters.Count).Concat(clusters.Take(round % clusters.Count)))
                {
                    foreach (var count in clients)
                    {
                        await MeasureAsync(cluster, count, round, cancellationToken);
                    }
                }

                await MeasurePeerAsync(peer, cancellationToken);
            }
        }
        finally
        {
            foreach (var cluster in clusters)
            {
                await cluster.DisposeAsync();
            }
        }

        Report(output);
        return _answers.Differences.Count == 0 ? ExitCode.Ok : ExitCode.Failed;
    }

    // Compiles the hot paths of every process, at every batch size.
    private async Task WarmUpAsync(Cluster cluster, CancellationToken cancellationToken)
    {
        foreach (var count in clients.Append(1).Distinct())
        {
            await ChatLoad.RunAsync(cluster, Prompts.Questions(count, round: -1), tokens, cancellationToken);
        }
    }

    private async Task MeasureAsync(Cluster cluster, int count, int round, CancellationToken cancellationToken)
    {
        var questions = Prompts.Questions(count, round);
        var result = await ChatLoad.RunAsync(cluster, questions, tokens, cancellationToken);
        _answers.Add(questions, tokens, result, $"{cluster.Plan.Name} with {count} clients");
        if (!_results.TryGetValue((cluster.Plan.Stages, count), out var measured))
        {
            _results.Add((cluster.Plan.Stages, count), measured = new Measured());
        }

        measured.Rate.Add(result.TokensPerSecond);
        measured.PerToken.Add(result.MillisecondsPerToken);
        measured.ToFirst.Add(result.SecondsToFirst * 1000);
    }

    // In one process, and with as many RPC servers as we have workers.
    private async Task MeasurePeerAsync(RpcPeer? peer, CancellationToken cancellationToken)
    {
        foreach (var servers in peer is null ? [] : stages.Prepend(0))
        {
            if (!_peer.TryGetValue(servers, out var series))
            {
                _peer.Add(servers, series = new Series());
            }

            series.Add(await peer!.DecodeAsync(servers, BenchmarkOptions.ThreadsOf(threads, Math.Max(1, servers)), tokens, cancellationToken));
        }
    }

    private void Report(TextWriter output)
    {
        ReportText.WriteTable(
            output,
            ["clients", "workers", "tokens/s", "ratio to 1", "ms a token and client", "first token (ms)"],
            from count in clients
            from stage in stages
            let measured = _results[(stage, count)]
            let single = _results.GetValueOrDefault((1, count))
            select (string[])
            [
                count.ToString(CultureInfo.InvariantCulture),
                stage.ToString(CultureInfo.InvariantCulture),
                Figures.Text(measured.Rate, "0.0"),
                Figures.Ratio(measured.Rate, single?.Rate),
                Figures.Text(measured.PerToken, "0.00"),
                Figures.Text(measured.ToFirst, "0"),
            ]);
        if (_peer.Count > 0)
        {
            output.WriteLine("llama.cpp with its RPC backend, llama-bench, one sequence, no HTTP:");
            ReportText.WriteTable(
                output,
                ["RPC servers", "tokens/s", "ratio to none", "ms a token"],
                _peer.Select(pair => (string[])
                [
                    pair.Key == 0 ? "none" : pair.Key.ToString(CultureInfo.InvariantCulture),
                    Figures.Text(pair.Value, "0.0"),
                    Figures.Ratio(pair.Value, _peer[0]),
                    (1000 / pair.Value.Median).ToString("0.00", CultureInfo.InvariantCulture),
                ]));
        }

        output.WriteLine(_answers.Summary());
    }

    private sealed class Measured
    {
        public Series Rate { get; } = new();

        public Series PerToken { get; } = new();

        public Series ToFirst { get; } = new();
    }
}
