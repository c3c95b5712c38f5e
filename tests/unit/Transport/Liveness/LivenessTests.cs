using Microsoft.Extensions.Time.Testing;
using Parallax.Transport.Liveness;

namespace Parallax.UnitTests.Transport.Liveness;

public sealed class LivenessTests
{
    private static readonly TimeSpan Period = TimeSpan.FromMilliseconds(250);
    private readonly FakeTimeProvider _time = new();
    private readonly long _start;

    public LivenessTests() => _start = _time.GetTimestamp();

    private TimeSpan Now => _time.GetElapsedTime(_start);

    [Theory]
    [InlineData(499, PeerLiveness.Alive)]
    [InlineData(500, PeerLiveness.Suspect)]
    [InlineData(999, PeerLiveness.Suspect)]
    [InlineData(1000, PeerLiveness.Dead)]
    public void Evaluate_Silence_SuspectAfterTwoPeriodsDeadAfterFour(int milliseconds, PeerLiveness expected)
    {
        var monitor = Beating(0, 0);

        _time.Advance(TimeSpan.FromMilliseconds(milliseconds));

        Assert.Equal(expected, monitor.Evaluate(Now));
    }

    [Fact]
    public void Evaluate_AnyByteBetween_IsASignOfLife()
    {
        var monitor = Beating(0, 0);
        for (var i = 0; i < 20; i++)
        {
            _time.Advance(TimeSpan.FromMilliseconds(400));
            monitor.OnActivity(Now);
            Assert.Equal(PeerLiveness.Alive, monitor.Evaluate(Now));
        }
    }

    [Fact]
    public void Evaluate_JitteryPeer_GetsMoreTimeButAtMostTwice()
    {
        var steady = Beating(40, 0).AllowedPeriod;
        var jittery = Beating(80, 100).AllowedPeriod;
        var wild = Beating(80, 240).AllowedPeriod;

        Assert.InRange(steady.TotalMilliseconds, 250, 251);
        Assert.InRange(jittery.TotalMilliseconds, 400, 500);
        Assert.InRange(wild.TotalMilliseconds, 499, 500);
    }

    [Fact]
    public void OnHeartbeat_AfterAnOutage_TheOutageIsNoJitter()
    {
        var monitor = Beating(10, 0);
        _time.Advance(TimeSpan.FromSeconds(20));
        monitor.OnHeartbeat(Now);

        Assert.InRange(monitor.AllowedPeriod.TotalMilliseconds, 250, 251);
        Assert.Equal(PeerLiveness.Alive, monitor.Evaluate(Now));
    }

    [Fact]
    public void Evaluate_Dead_IsFinal()
    {
        var monitor = Beating(0, 0);
        _time.Advance(TimeSpan.FromSeconds(2));
        Assert.Equal(PeerLiveness.Dead, monitor.Evaluate(Now));
        monitor.OnHeartbeat(Now);
        Assert.Equal(PeerLiveness.Dead, monitor.Evaluate(Now));
    }

    [Fact]
    public void Summarise_MoreSamplesThanKept_MinimumMedianJitterOfTheLast()
    {
        var window = new RoundTripWindow();
        Assert.Equal(0, window.Summarise().Samples);
        window.Add(TimeSpan.FromMilliseconds(-1));
        for (var i = 0; i < 200; i++)
        {
            window.Add(TimeSpan.FromMilliseconds(i < 130 ? 1 : i % 2 == 0 ? 10 : 20));
        }

        var summary = window.Summarise();
        Assert.Equal((64, 10.0, 20.0, 5.0), (
            summary.Samples, summary.Minimum.TotalMilliseconds, summary.Median.TotalMilliseconds, summary.Jitter.TotalMilliseconds));
    }

    private LivenessMonitor Beating(int beats, int deviation)
    {
        var monitor = new LivenessMonitor(Period, Now);
        for (var i = 0; i < beats; i++)
        {
            _time.Advance(Period + TimeSpan.FromMilliseconds(i % 2 == 0 ? deviation : -deviation));
            monitor.OnHeartbeat(Now);
        }

        return monitor;
    }
}
