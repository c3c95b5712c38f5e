using Parallax.Router.Sessions;

namespace Parallax.UnitTests.Router.Sessions;

public class SessionWatchTests
{
    private const long Frequency = 1000;
    private static readonly WatchLimits Limits = new(TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(10), TimeSpan.FromSeconds(100));

    [Fact]
    public void Tick_TokenLate_ProbesOnce()
    {
        var watch = Started();

        Assert.Equal(WatchVerdict.Fine, watch.Tick(2000, Frequency, true, Limits));
        Assert.Equal(WatchVerdict.Probe, watch.Tick(2001, Frequency, true, Limits));
        Assert.NotNull(watch.TakeProbe());
        Assert.Null(watch.TakeProbe());
        Assert.Equal(WatchVerdict.Fine, watch.Tick(2500, Frequency, true, Limits));
    }

    [Fact]
    public void Tick_SlowButSteadyTokens_WaitsEightTimesAsLong()
    {
        var watch = Started();
        for (var t = 2000; t <= 40_000; t += 1000)
        {
            watch.OnToken(t, Frequency, 1);
        }

        Assert.Equal(WatchVerdict.Fine, watch.Tick(47_900, Frequency, true, Limits));
        Assert.Equal(WatchVerdict.Probe, watch.Tick(48_100, Frequency, true, Limits));
    }

    [Fact]
    public void Tick_ClientHoldsTheSessionBack_NothingIsLate()
    {
        var watch = Started();

        Assert.Equal(WatchVerdict.Fine, watch.Tick(50_000, Frequency, waiting: false, Limits));
        Assert.Equal(WatchVerdict.Fine, watch.Tick(50_500, Frequency, waiting: true, Limits));
    }

    [Fact]
    public void Tick_ProbeUnanswered_IsABrokenLink()
    {
        var watch = Started();
        watch.Tick(2001, Frequency, true, Limits);

        Assert.Equal(WatchVerdict.Fine, watch.Tick(12_001, Frequency, true, Limits));
        Assert.Equal(WatchVerdict.BrokenLink, watch.Tick(12_002, Frequency, true, Limits));
    }

    [Fact]
    public void Tick_AnswersWithoutSteps_IsStalledInTheEnd()
    {
        Assert.Equal(WatchVerdict.Stalled, ProbeUntil(200_000, static _ => 5));
    }

    [Fact]
    public void Tick_AnswersWithSteps_IsNeverStalled()
    {
        Assert.Equal(WatchVerdict.Fine, ProbeUntil(200_000, static now => now));
    }

    [Fact]
    public void OnReply_OfAnotherProbe_IsIgnored()
    {
        var watch = Started();
        watch.Tick(2001, Frequency, true, Limits);

        Assert.False(watch.OnReply(2002, watch.TakeProbe()!.Value + 1, 1));
    }

    private static SessionWatch Started()
    {
        var watch = new SessionWatch();
        watch.Reset(1000);
        return watch;
    }

    private static WatchVerdict ProbeUntil(long end, Func<long, long> steps)
    {
        var watch = Started();
        for (long now = 1000; now < end; now += 500)
        {
            var verdict = watch.Tick(now, Frequency, true, Limits);
            if (verdict == WatchVerdict.Probe)
            {
                Assert.True(watch.OnReply(now + 1, watch.TakeProbe()!.Value, steps(now)));
            }
            else if (verdict != WatchVerdict.Fine)
            {
                return verdict;
            }
        }

        return WatchVerdict.Fine;
    }
}
