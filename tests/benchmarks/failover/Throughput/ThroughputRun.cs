using System.Globalization;
using Parallax.Benchmarks.Common;
using Parallax.Cli.Chaos;
using Parallax.Cli.Chaos.Faults;
using Parallax.Cli.Chaos.Injection;
using Parallax.Cli.Chaos.Processes;
using Parallax.Cli.Chaos.Traffic;
using Parallax.Hosting;

namespace Parallax.FailoverBenchmark.Throughput;

/// <summary>
/// A swarm with failover and then one without; all rates take turns on each. Whatever
/// the failures, the answer must be the one without them.
/// </summary>
internal sealed class ThroughputRun(
    SwarmPlan plan, IReadOnlyList<double> rates, int tokens, int rounds, TimeSpan giveUp, ulong seed, TimeProvider clock)
{
    private const int PromptTokens = 32;
    private const int WarmUpContext = 256;
    private const int WarmUpTokens = 16;
    private static readonly TimeSpan RestartAfter = TimeSpan.FromMilliseconds(100);

    private readonly Dictionary<(bool Failover, double Rate), List<Measured>> _results = [];
    private int _asked;
    private int _bad;

    public async Task<int> RunAsync(TextWriter output, TextWriter progress, CancellationToken cancellationToken)
    {
        ReportText.WriteHead(output, $"{Path.GetFileName(plan.Model)} over {plan.Stages} stages, {plan.Workers.Length} workers of {plan.Threads} threads, one client, answers of {tokens} tokens, {rounds} rounds");
        await Measurement.UntilInterruptedAsync(
            async () =>
            {
                foreach (var failover in (bool[])[true, false])
                {
                    await MeasureAsync(failover, output, progress, cancellationToken);
                }
            },
            () => _results.Count > 0,
            output,
            cancellationToken);
        Report(output);
        return _bad == 0 ? ExitCode.Ok : ExitCode.Failed;
    }

    private async Task MeasureAsync(bool failover, TextWriter output, TextWriter progress, CancellationToken cancellationToken)
    {
        var roomy = plan with { Context = Math.Max(WarmUpContext, PromptTokens + tokens) + 128 };
        await using var swarm = await LocalSwarm.StartAsync(
            failover ? roomy : roomy with { RouterOptions = [.. roomy.RouterOptions, "--no-failover"] }, clock, onRouterLine: null, cancellationToken);
        using var client = new ChatClient(swarm.Addresses, clock, giveUp, failover ? OnBreak.Resume : OnBreak.Restart);
        var question = ChatQuestions.Draw(
            await client.ModelAsync(cancellationToken), ModelTokenizer.Load(plan.Model), count: 1, PromptTokens, tokens, seed)[0];
        var warming = ChatQuestions.Draw(
            await client.ModelAsync(cancellationToken), ModelTokenizer.Load(plan.Model), count: 1, WarmUpContext, WarmUpTokens, seed)[0];
        await WarmUp.RunAsync(swarm, client, warming, cancellationToken);
        var expected = (await ChatTraffic.ReferenceAsync(swarm.Addresses[0], [question], giveUp, clock, cancellationToken))[0].Expected;
        for (var round = 0; round < rounds; round++)
        {
            foreach (var rate in rates)
            {
                var measured = await MeasureAsync(swarm, client, question, expected, rate, round, failover, progress, cancellationToken);
                (_results.TryGetValue((failover, rate), out var list) ? list : _results[(failover, rate)] = []).Add(measured);
                await progress.WriteLineAsync(string.Create(
                    CultureInfo.InvariantCulture,
                    $"{(failover ? "failover" : "from scratch")}, {rate} a step: {measured.PerSecond:0.00} tokens/s, {measured.Failures} failures, {measured.Restarts} restarts"));
                await swarm.ReadyAsync(cancellationToken);
                await WarmUp.RunAsync(swarm, client, warming, cancellationToken);
            }
        }

        foreach (var crash in swarm.Crashes)
        {
            _bad++;
            output.WriteLine(crash);
        }
    }

    private async Task<Measured> MeasureAsync(
        LocalSwarm swarm, ChatClient client, ChatQuestion question, StreamedAnswer expected, double rate, int round, bool failover, TextWriter progress, CancellationToken cancellationToken)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        patience.CancelAfter(giveUp);
        // The same failures for both, as far as they get.
        var draws = new Draws(seed + ((ulong)round * 1000) + (ulong)(rate * 1e6));
        var failing = new Failing(new FaultInjector(swarm, clock, RestartAfter), rate, draws, cancellationToken);
        var began = clock.GetTimestamp();
        try
        {
            var result = await client.AskAsync(
                question, string.Create(CultureInfo.InvariantCulture, $"ask {_asked++}"), arrival => failing.OnTokens(arrival.Tokens), patience.Token);
            var seconds = clock.GetElapsedTime(began).TotalSeconds;
            if ((result.Outcome != AskOutcome.Complete ? result.Problem : result.Answer.DifferenceTo(expected)) is { } problem)
            {
                _bad++;
                await progress.WriteLineAsync($"{(failover ? "failover" : "from scratch")}, {rate} a step: {problem}");
                return new Measured(0, failing.Failures, result.Restarted);
            }

            return new Measured(tokens / seconds, failing.Failures, result.Restarted);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return new Measured(0, failing.Failures, Restarts: 0); // no answer in time: that is the result
        }
        finally
        {
            await failing.SettledAsync();
        }
    }

    private void Report(TextWriter output)
    {
        ReportText.WriteTable(
            output,
            ["failures a step", "failover (tokens/s)", "of failure-free", "failures an answer", "from scratch (tokens/s)", "of failure-free", "failures an answer"],
            rates.Select(rate => (string[])[rate.ToString(CultureInfo.InvariantCulture), .. Cells(failover: true, rate), .. Cells(failover: false, rate)]));
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"Tokens of an answer by the whole time from the request to the last token, restarts included; the median. 0: not one answer within {giveUp.TotalSeconds:0} s."));
        output.WriteLine(_bad == 0 ? "Every answer was byte for byte the one without a failure." : $"{_bad} answers were NOT as they should be.");
    }

    private string[] Cells(bool failover, double rate)
    {
        if (!_results.TryGetValue((failover, rate), out var measured))
        {
            return ["-", "-", "-"]; // interrupted before
        }

        var speed = Cli.Chaos.Report.Percentiles.Of([.. measured.Select(static one => one.PerSecond)], 0.5);
        var free = Cli.Chaos.Report.Percentiles.Of([.. _results[(failover, rates[0])].Select(static one => one.PerSecond)], 0.5);
        return
        [
            string.Create(CultureInfo.InvariantCulture, $"{speed:0.00} ({measured.Min(static one => one.PerSecond):0.00} to {measured.Max(static one => one.PerSecond):0.00})"),
            rates[0] == 0 ? (speed / free).ToString("0.00", CultureInfo.InvariantCulture) : "-",
            measured.Average(static one => one.Failures).ToString("0.0", CultureInfo.InvariantCulture),
        ];
    }

    private sealed record Measured(double PerSecond, int Failures, int Restarts);
}
