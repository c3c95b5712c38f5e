using System.Collections.Immutable;
using System.Text.Json;
using Parallax.Cli.Bench;

namespace Parallax.UnitTests.Cli;

public sealed class BenchRunnerTests
{
    private static readonly BenchPlan Plan = new(3, 8, 4, 2, 4, [1, 2]);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task RunAsync_TwoSubjects_TakeTurnsAndTheFirstRoundDoesNotCount()
    {
        List<string> calls = [];
        await using var ours = new FakeSubject("ours", calls, 100);
        await using var peer = new FakeSubject("peer", calls, 200);

        var results = await new BenchRunner(Plan, 50, static _ => { }).RunAsync([ours, peer], Token);

        var single = Enumerable.Repeat<string[]>(["ours single", "peer single"], 4).SelectMany(static x => x);
        var one = Enumerable.Repeat<string[]>(["ours batch 1", "peer batch 1"], 4).SelectMany(static x => x);
        var two = Enumerable.Repeat<string[]>(["ours batch 2", "peer batch 2"], 4).SelectMany(static x => x);
        Assert.Equal([.. single, .. one, .. two, "ours memory", "peer memory"], calls);
        Assert.Equal(["ours", "peer"], results.Select(static r => r.Name));
        Assert.Equal([102.0, 103.0, 104.0], results[0].Prefill.Values); // 101 was the warm-up
        Assert.Equal(3, results[1].Batches[2].Values.Count);
        Assert.Equal(7, results[0].Memory.Resident);
    }

    [Fact]
    public async Task RunAsync_AllSessions_HavePromptsOfTheirOwnAndTheSameForEachSubject()
    {
        await using var ours = new FakeSubject("ours", [], 1);
        await using var peer = new FakeSubject("peer", [], 1);

        await new BenchRunner(Plan, 50_000, static _ => { }).RunAsync([ours, peer], Token);

        Assert.Equal(ours.Prompts.Count, ours.Prompts.Distinct().Count());
        Assert.Equal(ours.Prompts, peer.Prompts);
    }

    [Fact]
    public async Task ToJson_TwoSubjects_HoldsMediansValuesAndRatios()
    {
        var report = await ReportAsync();

        using var document = JsonDocument.Parse(report.ToJson());
        var root = document.RootElement;
        Assert.Equal("tiny", root.GetProperty("model").GetString());
        Assert.Equal(103, root.GetProperty("subjects")[0].GetProperty("prefill_tokens_per_second").GetProperty("median").GetDouble());
        Assert.Equal(3, root.GetProperty("subjects")[1].GetProperty("batch_tokens_per_second").GetProperty("2").GetProperty("values").GetArrayLength());
        Assert.Equal(103.0 / 203.0, root.GetProperty("ratios").GetProperty("prefill").GetDouble(), 12);
    }

    [Fact]
    public async Task ToText_TwoSubjects_HasARowPerFigureWithItsRatio()
    {
        var text = (await ReportAsync()).ToText();

        Assert.Contains("prefill 8 (tokens/s)    103 (102 .. 104)            203 (202 .. 204)            0.51", text, StringComparison.Ordinal);
        Assert.Contains("2 at once (tokens/s)", text, StringComparison.Ordinal);
    }

    private static async Task<BenchReport> ReportAsync()
    {
        await using var ours = new FakeSubject("ours", [], 100);
        await using var peer = new FakeSubject("peer", [], 200);
        var results = await new BenchRunner(Plan, 50, static _ => { }).RunAsync([ours, peer], Token);
        return new BenchReport("tiny", "a machine", DateTimeOffset.UnixEpoch, 2, Plan, results);
    }

    private sealed class FakeSubject(string name, List<string> calls, double speed) : IBenchSubject
    {
        private double _speed = speed;

        public List<string> Prompts { get; } = [];

        public string Name => name;

        public string Description => "fake";

        public double LoadSeconds => 0.5;

        public Task<SingleRun> RunSingleAsync(ImmutableArray<int> prompt, int decodeTokens, CancellationToken cancellationToken)
        {
            calls.Add($"{name} single");
            Prompts.Add(string.Join(',', prompt));
            return Task.FromResult(new SingleRun(++_speed, _speed));
        }

        public Task<double> RunBatchAsync(IReadOnlyList<ImmutableArray<int>> prompts, int decodeTokens, CancellationToken cancellationToken)
        {
            calls.Add($"{name} batch {prompts.Count}");
            Prompts.AddRange(prompts.Select(static prompt => string.Join(',', prompt)));
            return Task.FromResult(++_speed);
        }

        public Task<MemoryUse> ReadMemoryAsync(CancellationToken cancellationToken)
        {
            calls.Add($"{name} memory");
            return Task.FromResult(new MemoryUse(7, 9));
        }

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}
