using System.Globalization;
using Parallax.Benchmarks.Common;
using Parallax.Cli.Chaos;
using Parallax.Cli.Chaos.Faults;
using Parallax.Cli.Chaos.Injection;
using Parallax.Cli.Chaos.Processes;
using Parallax.Cli.Chaos.Traffic;
using Parallax.Hosting;

namespace Parallax.FailoverBenchmark.Gap;

/// <summary>
/// One client reads one answer after the other; in each of them a worker is killed after some tokens, and started again
/// and warmed up when the answer has ended. Processes reach each other directly. Every answer is compared with the one
/// without a fault.
/// </summary>
internal sealed class GapRun(SwarmPlan plan, IReadOnlyList<int> contexts, int kills, ulong seed, TimeProvider clock)
{
    private const int AnswerTokens = 96;
    private const int PrefillRounds = 3;
    private const int WarmUpContext = 256; // code is compiled as well by shorter prompts, but memory is touched by long ones alone
    private const int WarmUpTokens = 16;
    private static readonly TimeSpan StuckAfter = TimeSpan.FromSeconds(120);

    private readonly RerouteWatch _reroutes = new(clock);
    private readonly Dictionary<(int Context, string Place), List<GapSample>> _samples = [];
    private readonly Dictionary<(int Context, int Stage), double> _prefill = [];
    private readonly Dictionary<int, int> _promptTokens = [];
    private readonly Draws _draws = new(seed);
    private int _asked;
    private int _bad;

    private string[] Places => plan.Stages switch
    {
        1 => ["head"],
        2 => ["head", "tail"],
        _ => ["head", "middle", "tail"],
    };

    public async Task<int> RunAsync(TextWriter output, TextWriter progress, CancellationToken cancellationToken)
    {
        ReportText.WriteHead(output, $"{Path.GetFileName(plan.Model)} over {plan.Stages} stages, {plan.Workers.Length} workers of {plan.Threads} threads; {kills} kills of each place at each context, one client, greedy");
        await Measurement.UntilInterruptedAsync(
            async () =>
            {
                foreach (var context in contexts)
                {
                    await MeasureAsync(context, output, progress, cancellationToken);
                }
            },
            () => _samples.Count > 0,
            output,
            cancellationToken);
        Report(output);
        return _bad == 0 ? ExitCode.Ok : ExitCode.Failed;
    }

    private async Task MeasureAsync(int context, TextWriter output, TextWriter progress, CancellationToken cancellationToken)
    {
        await using var swarm = await LocalSwarm.StartAsync(
            plan with { Context = context + AnswerTokens + 64 }, clock, _reroutes.OnLine, cancellationToken);
        try
        {
            await MeasureAsync(swarm, context, progress, cancellationToken);
        }
        finally
        {
            foreach (var crash in swarm.Crashes)
            {
                _bad++;
                output.WriteLine(crash);
            }
        }
    }

    private async Task MeasureAsync(LocalSwarm swarm, int context, TextWriter progress, CancellationToken cancellationToken)
    {
        using var client = new ChatClient(swarm.Addresses, clock, StuckAfter);
        var question = ChatQuestions.Draw(
            await client.ModelAsync(cancellationToken), ModelTokenizer.Load(plan.Model), count: 1, context, AnswerTokens, seed)[0];
        var first = ChatQuestions.Draw(
            await client.ModelAsync(cancellationToken), ModelTokenizer.Load(plan.Model), count: 1, context, 2, seed)[0];
        var warming = ChatQuestions.Draw(
            await client.ModelAsync(cancellationToken), ModelTokenizer.Load(plan.Model), count: 1, Math.Min(context, WarmUpContext), WarmUpTokens, seed)[0];
        await WarmUp.RunAsync(swarm, client, warming, cancellationToken);
        var expected = (await ChatTraffic.ReferenceAsync(swarm.Addresses[0], [question], StuckAfter, clock, cancellationToken))[0].Expected;
        await MeasurePrefillAsync(swarm, client, first, context, cancellationToken);
        var injector = new FaultInjector(swarm, clock, restartAfter: null);
        for (var kill = 0; kill < kills; kill++)
        {
            foreach (var place in Places)
            {
                await KillAsync(swarm, injector, client, question, expected, context, place, progress, cancellationToken);
                await WarmUp.RunAsync(swarm, client, warming, cancellationToken);
            }

            await progress.WriteLineAsync($"context {context}: {kill + 1} of {kills} rounds");
        }
    }

    /// <summary>What the layers of each stage cost to prefill: the time that its worker spent in steps for one prompt.</summary>
    private async Task MeasurePrefillAsync(LocalSwarm swarm, ChatClient client, ChatQuestion question, int context, CancellationToken cancellationToken)
    {
        var times = new Dictionary<int, List<double>>();
        for (var round = 0; round < PrefillRounds; round++)
        {
            var before = await BusyAsync(swarm, cancellationToken);
            var result = await AskAsync(client, question, null, cancellationToken);
            _promptTokens[context] = result.Answer.PromptTokens;
            var after = await BusyAsync(swarm, cancellationToken);
            foreach (var stage in swarm.Plan.Workers.GroupBy(static worker => worker.Stage))
            {
                var spent = stage.Sum(worker => after[worker.Id] - before[worker.Id]) / 1000.0;
                (times.TryGetValue(stage.Key, out var list) ? list : times[stage.Key] = []).Add(spent);
            }
        }

        foreach (var (stage, spent) in times)
        {
            _prefill[(context, stage)] = Cli.Chaos.Report.Percentiles.Of(spent, 0.5);
        }
    }

    private async Task KillAsync(
        LocalSwarm swarm, FaultInjector injector, ChatClient client, ChatQuestion question, StreamedAnswer expected, int context, string place, TextWriter progress, CancellationToken cancellationToken)
    {
        var ledger = new GapLedger(clock);
        var moment = new FaultMoment(8 + _draws.Below(AnswerTokens / 2), ledger);
        var asking = AskAsync(client, question, moment.OnArrival, cancellationToken);
        await Task.WhenAny(moment.Due, asking);
        var had = moment.Came;
        var fault = new Fault(TimeSpan.Zero, FaultKind.Kill, new Victim(Names.Parse<VictimRole>(place)!.Value)) { Draw = _draws.Next() };
        var injected = await injector.InjectAsync(fault, cancellationToken);
        var number = injected is null ? -1 : ledger.Add(injected.At, TimeSpan.Zero);
        var result = await asking;
        var problem = result.Outcome != AskOutcome.Complete ? result.Problem : result.Answer.DifferenceTo(expected);
        if (injected is null || injected.Place == VictimRole.Spare || problem is not null)
        {
            _bad++;
            await progress.WriteLineAsync($"context {context}, {place}: {problem ?? "the kill hit nobody who worked"}");
        }
        else if (ledger.GapOf(number) is { } gap && ledger.EndOf(number) is { } end)
        {
            var samples = _samples.TryGetValue((context, place), out var known) ? known : _samples[(context, place)] = [];
            samples.Add(Sample(injected.At, end, gap, result.Answer.PromptTokens + had));
        }

        if (injected is not null)
        {
            await swarm.Worker(injected.Victim).StartAsync(cancellationToken);
            await swarm.ReadyAsync(cancellationToken);
        }
    }

    private GapSample Sample(long killed, long end, TimeSpan gap, int positions)
    {
        var reroutes = _reroutes.Between(killed, end);
        if (reroutes.Count == 0)
        {
            return new GapSample(gap.TotalMilliseconds, null, null, null, 0, 0, positions);
        }

        var (at, notice) = reroutes[0];
        return new GapSample(
            gap.TotalMilliseconds,
            clock.GetElapsedTime(killed, at).TotalMilliseconds - notice.DecideMilliseconds,
            notice.DecideMilliseconds,
            clock.GetElapsedTime(at, end).TotalMilliseconds,
            notice.Kept,
            reroutes.Count,
            positions);
    }

    private Task<AskResult> AskAsync(ChatClient client, ChatQuestion question, Action<Arrival>? onArrival, CancellationToken cancellationToken) =>
        client.AskAsync(question, string.Create(CultureInfo.InvariantCulture, $"ask {_asked++}"), onArrival, cancellationToken);

    private static async Task<Dictionary<string, long>> BusyAsync(LocalSwarm swarm, CancellationToken cancellationToken)
    {
        var busy = new Dictionary<string, long>(StringComparer.Ordinal);
        foreach (var worker in swarm.Workers)
        {
            busy[worker.Id] = (await swarm.TryStatsAsync(worker.Id, cancellationToken))?.BusyMicroseconds
                ?? throw new ChaosException($"{worker.Id} does not answer.{Environment.NewLine}{worker.Said}");
        }

        return busy;
    }

    private void Report(TextWriter output)
    {
        ReportText.WriteTable(
            output,
            ["context", "killed", "kills", "gap (ms) p50 / p95 / max", "detect", "decide", "refill", "prefill of those layers (ms)", "refill to prefill of as many positions, p50", "reroutes a kill"],
            from context in contexts
            from place in Places
            let samples = _samples.GetValueOrDefault((context, place)) ?? []
            let prefill = PrefillOf(context, place)
            let refills = samples.Select(static sample => sample.Refill).OfType<double>().ToList()
            select (string[])
            [
                context.ToString(CultureInfo.InvariantCulture),
                place,
                samples.Count.ToString(CultureInfo.InvariantCulture),
                Markdown.Spread([.. samples.Select(static sample => sample.Gap)]),
                Markdown.Spread([.. samples.Select(static sample => sample.Detect).OfType<double>()]),
                Markdown.Spread([.. samples.Select(static sample => sample.Decide).OfType<double>()], "0.0"),
                Markdown.Spread(refills),
                prefill.ToString("0", CultureInfo.InvariantCulture),
                Markdown.Median([.. samples.Where(static sample => sample.Refill is not null).Select(sample => sample.Refill!.Value * _promptTokens[context] / (prefill * sample.Positions))], "0.00"),
                samples.Count == 0 ? "-" : samples.Average(static sample => sample.Reroutes).ToString("0.00", CultureInfo.InvariantCulture),
            ]);
        output.WriteLine(_bad == 0 ? "Every answer was byte for byte the one without a fault." : $"{_bad} answers or kills were NOT as they should be.");
    }

    /// <summary>Of several middle stages the middle one.</summary>
    private double PrefillOf(int context, string place) => _prefill.GetValueOrDefault((context, place switch
    {
        "head" => 0,
        "tail" => plan.Stages - 1,
        _ => plan.Stages / 2,
    }));
}
