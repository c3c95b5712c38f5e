using System.Text.Json;
using Parallax.Cli.Chaos.Report;
using Parallax.Cli.Chaos.Traffic;

namespace Parallax.UnitTests.Chaos;

public sealed class ChaosReportTests
{
    private static readonly TrafficTally Fine = new(10, 10, 0, 0, 0, 1280, 0, 0, 0);

    private static readonly ChaosReport Good = new("a swarm", "a machine", 20, Fine,
    [
        new GapRow("kill", "head", [100, 300, 200], 4),
        new GapRow("pause", "tail", [], 1),
    ]);

    [Fact]
    public void ToText_GoodRun_SaysSoWithTheFigures()
    {
        var text = Good.ToText();
        Assert.Contains("10 requests, 1280 tokens in 20 s (64.0 tokens/s), 5 faults", text, StringComparison.Ordinal);
        Assert.Matches(@"kill\s+head\s+4\s+200\s+300\s+300", text);
        Assert.Matches(@"pause\s+tail\s+1\s+-\s+-\s+-", text);
        Assert.Contains("lost 0, changed 0, stuck 0, leaks 0, crashes 0: good", text, StringComparison.Ordinal);
    }

    public static TheoryData<string> Ways => new("lost", "changed", "stuck", "leak", "crash");

    [Theory]
    [MemberData(nameof(Ways))]
    public void IsGood_AnythingWrong_IsNot(string what)
    {
        var report = what switch
        {
            "lost" => Good with { Tally = Fine with { Lost = 1 }, Problems = ["request 3 is lost"] },
            "changed" => Good with { Tally = Fine with { Changed = 1 }, Problems = ["request 3 is changed"] },
            "stuck" => Good with { Tally = Fine with { Stuck = 1 }, Problems = ["request 3 is stuck"] },
            "leak" => Good with { Leaks = ["w0a still has 1 sessions running"] },
            _ => Good with { Crashes = ["w0a ended by itself"] },
        };
        Assert.False(report.IsGood);
        Assert.Contains("NOT GOOD", report.ToText(), StringComparison.Ordinal);
        Assert.Contains(report.Problems.Concat(report.Leaks).Concat(report.Crashes).Single(), report.ToText(), StringComparison.Ordinal);
        using var json = JsonDocument.Parse(report.ToJson());
        Assert.False(json.RootElement.GetProperty("good").GetBoolean());
    }

    [Fact]
    public void ToJson_HoldsEveryGap()
    {
        using var json = JsonDocument.Parse(Good.ToJson());
        Assert.True(json.RootElement.GetProperty("good").GetBoolean());
        Assert.Equal(5, json.RootElement.GetProperty("faults").GetInt32());
        Assert.Equal([100.0, 300, 200], json.RootElement.GetProperty("gaps")[0].GetProperty("gaps_ms").EnumerateArray().Select(static gap => gap.GetDouble()));
    }

    [Theory]
    [InlineData(0.5, 2)]
    [InlineData(0.75, 3)]
    [InlineData(0.95, 4)]
    [InlineData(1, 4)]
    [InlineData(0, 1)]
    public void Percentile_NearestRank(double share, double expected) => Assert.Equal(expected, Percentiles.Of([4, 2, 1, 3], share));
}
