using System.Globalization;
using Parallax.Benchmarks.Common;
using Parallax.Cli.Bench;
using Parallax.Hosting;
using Parallax.PipelineBenchmark.Clusters;
using Parallax.PipelineBenchmark.Load;
using Parallax.Testing.Network;

namespace Parallax.PipelineBenchmark.Links;

/// <summary>
/// One cluster of two stages; the address under which each is dialled is a proxy in this process, which takes the shape
/// of one link after the other. Router and workers talk directly, only the links pass the proxies.
/// </summary>
internal sealed class LinksRun(
    string model, IReadOnlyList<LinkSetting> settings, IReadOnlyList<int> clients, int? threads, int tokens, int rounds)
{
    private const int Stages = 2;
    private const int PromptTokens = 1000;

    private readonly Dictionary<(LinkSetting Setting, int Clients), Series> _decode = [];
    private readonly Dictionary<LinkSetting, Series> _prefill = [];
    private readonly Dictionary<LinkSetting, double> _measuredRoundTrips = [];
    private readonly AnswerBook _answers = new();
    private int _prompts;

    public async Task<int> RunAsync(TextWriter output, CancellationToken cancellationToken)
    {
        var plan = ClusterPlan.Of(model, Stages, threads);
        ReportText.WriteHead(output, $"{Path.GetFileName(model)}, {Stages} stages of {plan.Threads} threads, {tokens} tokens a client, prompts of about {PromptTokens} tokens, {rounds} rounds");
        foreach (var setting in settings)
        {
            _measuredRoundTrips[setting] = await RoundTripProbe.MeasureAsync(setting.Shape, cancellationToken);
            _prefill[setting] = new Series();
            foreach (var count in clients)
            {
                _decode[(setting, count)] = new Series();
            }
        }

        List<DelayingProxy> proxies = [];
        try
        {
            await using var cluster = await Cluster.StartAsync(
                plan,
                port =>
                {
                    proxies.Add(new DelayingProxy(port));
                    return proxies[^1].Address;
                },
                cancellationToken);
            await WarmUpAsync(cluster, cancellationToken);
            for (var round = 0; round < rounds; round++)
            {
                foreach (var setting in settings)
                {
                    proxies.ForEach(proxy => proxy.Shape = setting.Shape);
                    await MeasureAsync(cluster, setting, round, cancellationToken);
                }
            }
        }
        finally
        {
            proxies.ForEach(static proxy => proxy.Dispose());
        }

        Report(output);
        return _answers.Differences.Count == 0 ? ExitCode.Ok : ExitCode.Failed;
    }

    private async Task WarmUpAsync(Cluster cluster, CancellationToken cancellationToken)
    {
        await ChatLoad.RunAsync(cluster, [Prompts.Long(PromptTokens, ++_prompts)], tokens: 1, cancellationToken);
        foreach (var count in clients)
        {
            await ChatLoad.RunAsync(cluster, Prompts.Questions(count, round: -1), tokens, cancellationToken);
        }
    }

    private async Task MeasureAsync(Cluster cluster, LinkSetting setting, int round, CancellationToken cancellationToken)
    {
        var prefill = await ChatLoad.RunAsync(cluster, [Prompts.Long(PromptTokens, ++_prompts)], tokens: 1, cancellationToken);
        _prefill[setting].Add(prefill.Runs[0].PromptTokens / prefill.Runs[0].SecondsToFirst);
        foreach (var count in clients)
        {
            var questions = Prompts.Questions(count, round);
            var result = await ChatLoad.RunAsync(cluster, questions, tokens, cancellationToken);
            _answers.Add(questions, tokens, result, $"a link of {setting} with {count} clients");
            _decode[(setting, count)].Add(result.TokensPerSecond);
        }
    }

    private void Report(TextWriter output)
    {
        ReportText.WriteTable(
            output,
            ["link", "round trip measured (ms)", .. clients.Select(static count => $"{count} at once (tokens/s)"), "prefill (tokens/s)"],
            settings.Select(setting => (string[])
            [
                setting.ToString(),
                _measuredRoundTrips[setting].ToString("0.0", CultureInfo.InvariantCulture),
                .. clients.Select(count => Figures.Text(_decode[(setting, count)], "0.0")),
                Figures.Text(_prefill[setting], "0"),
            ]));
        output.WriteLine(_answers.Summary());
    }
}
