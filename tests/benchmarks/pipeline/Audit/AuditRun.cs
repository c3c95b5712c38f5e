using System.Globalization;
using Parallax.Benchmarks.Common;
using Parallax.Cli.Bench;
using Parallax.Hosting;
using Parallax.PipelineBenchmark.Clusters;
using Parallax.PipelineBenchmark.Load;

namespace Parallax.PipelineBenchmark.Audit;

/// <summary>
/// One cluster for each mode, all idle but one. Rates are compared pair by pair, a mode with <c>off</c> of the same round,
/// so that what else the machine does falls on both.
/// </summary>
internal sealed class AuditRun(ClusterPlan plan, IReadOnlyList<int> clients, int tokens, int rounds)
{
    private const string Off = "off";
    private static readonly string[] Modes = [Off, "hashes", "full"];

    private readonly Dictionary<(string Mode, int Clients), Series> _rates = [];
    private readonly Dictionary<(string Mode, int Clients), Series> _ratios = [];
    private readonly AnswerBook _answers = new();

    public async Task<int> RunAsync(TextWriter output, CancellationToken cancellationToken)
    {
        ReportText.WriteHead(output, $"Request audit, {Path.GetFileName(plan.Model)}, {tokens} tokens a client, {rounds} rounds, {plan.Threads} threads");
        var clusters = new List<Cluster>();
        try
        {
            foreach (var mode in Modes)
            {
                clusters.Add(await Cluster.StartAsync(plan with { Audit = mode }, link: null, cancellationToken));
                foreach (var count in clients)
                {
                    await ChatLoad.RunAsync(clusters[^1], Prompts.Questions(count, round: -1), tokens, cancellationToken);
                }
            }

            for (var round = 0; round < rounds; round++)
            {
                foreach (var count in clients)
                {
                    await MeasureAsync(clusters, count, round, cancellationToken);
                }
            }
        }
        finally
        {
            foreach (var cluster in clusters)
            {
                await cluster.DisposeAsync();
            }
        }

        ReportText.WriteTable(
            output,
            ["clients", "--audit", "tokens/s", "ratio to off, pair by pair"],
            from count in clients
            from mode in Modes
            select (string[])
            [
                count.ToString(CultureInfo.InvariantCulture), mode, Figures.Text(_rates[(mode, count)], "0.0"), Figures.Text(_ratios[(mode, count)], "0.000"),
            ]);
        output.WriteLine(_answers.Summary());
        return _answers.Differences.Count == 0 ? ExitCode.Ok : ExitCode.Failed;
    }

    private async Task MeasureAsync(List<Cluster> clusters, int count, int round, CancellationToken cancellationToken)
    {
        var questions = Prompts.Questions(count, round);
        var rates = new Dictionary<string, double>();
        foreach (var cluster in clusters.Skip(round % clusters.Count).Concat(clusters.Take(round % clusters.Count)))
        {
            var result = await ChatLoad.RunAsync(cluster, questions, tokens, cancellationToken);
            _answers.Add(questions, tokens, result, $"--audit {cluster.Plan.Audit} with {count} clients");
            rates[cluster.Plan.Audit] = result.TokensPerSecond;
        }

        foreach (var (mode, rate) in rates)
        {
            Add(_rates, (mode, count), rate);
            Add(_ratios, (mode, count), rate / rates[Off]);
        }
    }

    private static void Add(Dictionary<(string, int), Series> table, (string, int) key, double value)
    {
        if (!table.TryGetValue(key, out var series))
        {
            table.Add(key, series = new Series());
        }

        series.Add(value);
    }
}
