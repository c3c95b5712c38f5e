using Parallax.KvClient;
using Parallax.KvClient.Instances;

namespace Parallax.UnitTests.KvClient;

public sealed class InstanceHealthTests
{
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);

    [Fact]
    public void Instance_ThatFails_IsLeftAloneLongerAndLonger()
    {
        var health = new InstanceHealth(new KvClientOptions { FirstBreak = Second, LongestBreak = 3 * Second });
        Assert.True(health.IsUsable(TimeSpan.Zero));

        health.OnFailed(TimeSpan.Zero);
        health.OnFailed(TimeSpan.Zero); // another call of the same moment
        Assert.False(health.IsUsable(0.9 * Second));
        Assert.True(health.IsUsable(Second));

        health.OnFailed(Second);
        Assert.False(health.IsUsable(2.9 * Second));
        health.OnFailed(3 * Second);
        Assert.True(health.IsUsable(6 * Second)); // not four

        health.OnAnswered(null);
        health.OnFailed(10 * Second);
        Assert.True(health.IsUsable(11 * Second));
    }

    [Fact]
    public void Return_IsToldOnceForEachSeriesOfFailures()
    {
        var returns = 0;
        var health = new InstanceHealth(new KvClientOptions { FirstBreak = Second, LongestBreak = 3 * Second }, () => returns++);
        health.OnAnswered(null);
        Assert.Equal(0, returns);

        health.OnFailed(TimeSpan.Zero);
        health.OnFailed(2 * Second);
        health.OnAnswered(Second);
        health.OnAnswered(null);
        Assert.Equal(1, returns);

        health.OnFailed(9 * Second);
        health.OnAnswered(null);
        Assert.Equal(2, returns);
    }

    [Fact]
    public void RoundTrip_FollowsWhatIsMeasured()
    {
        var health = new InstanceHealth(new KvClientOptions());
        Assert.Equal(TimeSpan.MaxValue, health.RoundTrip);
        health.OnAnswered(Second);
        health.OnAnswered(2 * Second);
        Assert.Equal(1.25 * Second, health.RoundTrip);
    }
}
