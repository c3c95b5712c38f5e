using System.Globalization;
using Parallax.Benchmarks.Common;
using Parallax.Cli.Chaos;
using Parallax.Cli.Chaos.Faults;
using Parallax.Cli.Chaos.Report;
using Parallax.Cli.Chaos.Traffic;
using Parallax.Hosting;
using Parallax.Runtime.Tokenization;
using Parallax.SwarmBenchmark.Processes;

namespace Parallax.SwarmBenchmark.Restore;

/// <summary>
/// One client reads one answer after the other; in each of them a worker of its path is killed after some tokens, and started
/// again when the answer has ended. First without a KV cache, then with one, in the same swarm. Every answer is compared with the
/// one without a fault.
/// </summary>
internal sealed class RestoreRun(string model, IReadOnlyList<int> contexts, ulong seed, TimeProvider clock)
{
    private const int AnswerTokens = 96;
    private const int KvForOthers = 1024; // short answers at once, for warming up
    private const int WarmUpContext = 64;
    private const int WarmUpTokens = 16;
    private const string Restored = "parallax_kvcache_positions_restored_total";
    private const string Recomputed = "parallax_kvcache_positions_recomputed_total";
    private static readonly TimeSpan StuckAfter = TimeSpan.FromSeconds(180);

    private readonly PathLog _paths = new(clock);
    private readonly Dictionary<(bool WithCache, int Context), List<RestoreSample>> _samples = [];
    private readonly Draws _draws = new(seed);
    private int _asked;
    private readonly ITokenizer _tokenizer = ModelTokenizer.Load(model);
    private int _bad;

    /// <summary>Kills of each kind.</summary>
    public required int Kills { get; init; }

    /// <summary>Which stage of a path is killed.</summary>
    public required int Stage { get; init; }

    /// <summary>Workers.</summary>
    public required int Workers { get; init; }

    /// <summary>Memory of each.</summary>
    public required string WorkerMemory { get; init; }

    public async Task<int> RunAsync(TextWriter output, TextWriter progress, CancellationToken cancellationToken)
    {
        ReportText.WriteHead(output, $"{Path.GetFileName(model)} over {Workers} workers of one thread and {WorkerMemory} that place their layers themselves; stage {Stage} of the path is killed, {Kills} kills at each context; one client, greedy");
        await Measurement.UntilInterruptedAsync(() => MeasureAsync(output, progress, cancellationToken), () => _samples.Count > 0, output, cancellationToken);
        Report(output);
        return _bad == 0 ? ExitCode.Ok : ExitCode.Failed;
    }

    private async Task MeasureAsync(TextWriter output, TextWriter progress, CancellationToken cancellationToken)
    {
        var longest = contexts.Max() + AnswerTokens + 64;
        await using var swarm = await MeasuredSwarm.StartAsync(
            model, ["--ctx", Text(longest), "--kv-tokens", Text(longest + KvForOthers), "--max-batch", "4"], Workers, ["--memory", WorkerMemory], common: [], cancellationToken, withSpares: true);
        swarm.Founder.LineArrived += _paths.OnLine;
        output.WriteLine($"Layers: {(await swarm.LayersAsync()).Replace("\n", "; ", StringComparison.Ordinal)}");
        using var client = new ChatClient([swarm.Api], clock, StuckAfter);
        foreach (var withCache in new[] { false, true })
        {
            if (withCache)
            {
                await swarm.StartCacheAsync("2GiB");
            }

            foreach (var context in contexts)
            {
                await MeasureAsync(swarm, client, withCache, context, progress, cancellationToken);
            }
        }
    }

    private async Task MeasureAsync(MeasuredSwarm swarm, ChatClient client, bool withCache, int context, TextWriter progress, CancellationToken cancellationToken)
    {
        var name = await client.ModelAsync(cancellationToken);
        var question = Draw(name, context, AnswerTokens);
        await WarmUpAsync(swarm, client, name, cancellationToken);
        var expected = await AskAsync(client, question, null, cancellationToken);
        for (var kill = 0; kill < Kills; kill++)
        {
            await KillAsync(swarm, client, question, expected.Answer, withCache, context, progress, cancellationToken);
            await WarmUpAsync(swarm, client, name, cancellationToken);
            await progress.WriteLineAsync($"{(withCache ? "with" : "without")} the KV cache, context {context}: {kill + 1} of {Kills} kills: {_samples.GetValueOrDefault((withCache, context))?[^1]}");
        }
    }

    private async Task KillAsync(
        MeasuredSwarm swarm, ChatClient client, ChatQuestion question, StreamedAnswer expected, bool withCache, int context, TextWriter progress, CancellationToken cancellationToken)
    {
        var ledger = new GapLedger(clock);
        var moment = new FaultMoment(8 + _draws.Below(AnswerTokens / 2), ledger);
        var asking = AskAsync(client, question, moment.OnArrival, cancellationToken);
        await Task.WhenAny(moment.Due, asking);
        var had = moment.Came;
        var victim = swarm.WorkerAt(_paths.Path[Math.Min(Stage, _paths.Path.Count - 1)]);
        var killedAt = clock.GetTimestamp();
        var number = ledger.Add(killedAt, TimeSpan.Zero);
        await swarm.KillAsync(victim);
        using var answered = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var counting = Task.WhenAll(swarm.GrowthAsync(Restored, answered.Token), swarm.GrowthAsync(Recomputed, answered.Token));
        var result = await asking;
        await answered.CancelAsync();
        var grown = await counting;
        var problem = result.Outcome != AskOutcome.Complete ? result.Problem : result.Answer.DifferenceTo(expected);
        if (problem is not null)
        {
            _bad++;
            await progress.WriteLineAsync($"context {context}: {problem}{Environment.NewLine}{swarm.Said}");
        }
        else if (ledger.GapOf(number) is { } gap && ledger.EndOf(number) is { } end)
        {
            var reroute = _paths.FirstAfter(killedAt);
            var samples = _samples.TryGetValue((withCache, context), out var known) ? known : _samples[(withCache, context)] = [];
            samples.Add(new RestoreSample(
                gap.TotalMilliseconds,
                reroute is var (at, notice) ? clock.GetElapsedTime(killedAt, at).TotalMilliseconds - notice.DecideMilliseconds : null,
                reroute is var (since, _) ? clock.GetElapsedTime(since, end).TotalMilliseconds : null,
                result.Answer.PromptTokens + had,
                grown[0],
                grown[1]));
        }

        await swarm.RestartAsync(victim);
        victim.Dispose();
    }

    /// <summary>Short answers, several at once, until every worker has computed some.</summary>
    private async Task WarmUpAsync(MeasuredSwarm swarm, ChatClient client, string name, CancellationToken cancellationToken)
    {
        const int Rounds = 40;
        const int Enough = 16;
        var question = Draw(name, WarmUpContext, WarmUpTokens);
        for (var round = 0; round < Rounds; round++)
        {
            var steps = await Task.WhenAll(swarm.Workers.Select(worker => worker.ReadAsync("parallax_step_duration_seconds_count", cancellationToken)));
            if (steps.All(static count => count >= Enough))
            {
                return;
            }

            await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => AskAsync(client, question, null, cancellationToken)));
        }
    }

    private ChatQuestion Draw(string name, int context, int tokens) =>
        ChatQuestions.Draw(name, _tokenizer, count: 1, context, tokens, seed)[0];

    /// <summary>With a salt of its own, so that nobody has any of it.</summary>
    private Task<AskResult> AskAsync(ChatClient client, ChatQuestion question, Action<Arrival>? onArrival, CancellationToken cancellationToken) =>
        client.AskAsync(question, $"ask {Text(Interlocked.Increment(ref _asked))} {Guid.NewGuid()}", onArrival, cancellationToken);

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);

    private void Report(TextWriter output)
    {
        ReportText.WriteTable(
            output,
            ["context", "KV cache", "kills", "gap (ms) p50 / max", "detect p50", "refill p50", "restored positions p50", "recomputed positions p50", "gap without to with"],
            from context in contexts
            from withCache in new[] { false, true }
            let samples = _samples.GetValueOrDefault((withCache, context)) ?? []
            let without = _samples.GetValueOrDefault((false, context)) ?? []
            select (string[])
            [
                Text(context),
                withCache ? "yes" : "no",
                Text(samples.Count),
                $"{Median(samples.Select(static one => one.Gap))} / {(samples.Count == 0 ? "-" : samples.Max(static one => one.Gap).ToString("0", CultureInfo.InvariantCulture))}",
                Median(samples.Select(static one => one.Detect).OfType<double>()),
                Median(samples.Select(static one => one.Refill).OfType<double>()),
                Median(samples.Select(static one => one.Restored)),
                Median(samples.Select(static one => one.Recomputed)),
                withCache && samples.Count > 0 && without.Count > 0
                    ? (Percentiles.Of([.. without.Select(static one => one.Gap)], 0.5) / Percentiles.Of([.. samples.Select(static one => one.Gap)], 0.5)).ToString("0.0", CultureInfo.InvariantCulture)
                    : "",
            ]);
        output.WriteLine(_bad == 0 ? "Every answer was byte for byte the one without a fault." : $"{_bad} answers were NOT as they should be.");
    }

    private static string Median(IEnumerable<double> values) => values.ToList() is { Count: > 0 } known ? Percentiles.Of(known, 0.5).ToString("0", CultureInfo.InvariantCulture) : "-";
}
