using Parallax.Runtime.Blocks;

namespace Parallax.UnitTests.Blocks;

public sealed class RestoreEstimateTests
{
    [Theory]
    [InlineData(1024, 0.001, 12_000, 0.002, 100e6, true)] // 125 ms against 1 s
    [InlineData(1024, 0.001, 12_000, 0.002, 10e6, false)] // 1.2 s
    [InlineData(16, 0.001, 12_000, 0.002, 1e9, true)]
    [InlineData(16, 0.0001, 12_000, 0.002, 1e9, false)]   // the way there takes longer than computing
    [InlineData(16, 0, 12_000, 5, 1, true)]               // nobody knows how long computing takes
    [InlineData(16, 0.001, 12_000, -1, -1, true)]         // nor how long the exchange takes
    [InlineData(0, 0.001, 12_000, -1, -1, false)]
    public void IsCheaper_ComparesWhatIsKnown(int positions, double seconds, double bytes, double latency, double rate, bool expected) =>
        Assert.Equal(expected, RestoreEstimate.IsCheaper(positions, seconds, bytes, latency, rate));

    [Fact]
    public void IsWorthwhile_FollowsWhatWasMeasured()
    {
        var estimate = new RestoreEstimate();
        Assert.True(estimate.IsWorthwhile(1000, 0.0001, 10_000, TimeSpan.Zero));

        estimate.Answered(TimeSpan.FromMilliseconds(1), 1_000_000, TimeSpan.FromSeconds(1));
        Assert.False(estimate.IsWorthwhile(1000, 0.0001, 10_000, TimeSpan.Zero));
        for (var i = 0; i < 30; i++)
        {
            estimate.Answered(TimeSpan.FromMilliseconds(1), 1_000_000_000, TimeSpan.FromSeconds(1));
        }

        Assert.True(estimate.IsWorthwhile(1000, 0.0001, 10_000, TimeSpan.Zero));
    }

    [Fact]
    public void Failed_LeavesTheExchangeAloneLongerEachTime()
    {
        var estimate = new RestoreEstimate();
        var now = TimeSpan.Zero;
        var pauses = new List<double>();
        for (var i = 0; i < 8; i++)
        {
            estimate.Failed(now);
            var again = Enumerable.Range(0, 400).Select(tenth => TimeSpan.FromMilliseconds(100 * tenth))
                .First(pause => estimate.IsWorthwhile(16, 1, 1, now + pause));
            pauses.Add(again.TotalSeconds);
            now += again;
        }

        Assert.Equal([1, 2, 4, 8, 16, 30, 30, 30], pauses);
        estimate.Answered(TimeSpan.FromMilliseconds(1), 0, TimeSpan.Zero);
        Assert.True(estimate.IsWorthwhile(16, 1, 1, now));
    }

    [Fact]
    public void TimeFor_IsWhatComputingTakesWithinBounds()
    {
        var most = TimeSpan.FromSeconds(1);
        Assert.Equal(most, RestoreEstimate.TimeFor(100, 0, most));
        Assert.Equal(most, RestoreEstimate.TimeFor(100_000, 0.001, most));
        Assert.Equal(TimeSpan.FromMilliseconds(400), RestoreEstimate.TimeFor(400, 0.001, most));
        Assert.Equal(TimeSpan.FromMilliseconds(50), RestoreEstimate.TimeFor(16, 0.0001, most));
    }
}
