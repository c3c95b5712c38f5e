using Microsoft.Extensions.Time.Testing;
using Parallax.Transport.Links;
using Polly.CircuitBreaker;

namespace Parallax.UnitTests.Transport.Links;

public sealed class PeerDialerTests
{
    private LinkOptions Options { get; } = new()
    {
        PeerId = "a",
        Incarnation = 1,
        FirstRetry = TimeSpan.FromMilliseconds(50),
        LongestRetry = TimeSpan.FromMilliseconds(500),
        BreakAfter = 6,
        BreakDuration = TimeSpan.FromSeconds(1),
        RedialTimeout = TimeSpan.FromMilliseconds(100),
        ConnectTimeout = TimeSpan.FromMilliseconds(400),
    };

    private static readonly TimeSpan Tick = TimeSpan.FromMilliseconds(10);

    private readonly FakeTimeProvider _time = new();
    private readonly List<TimeSpan> _attempts = [];
    private readonly List<string> _failures = [];
    private readonly long _start;

    public PeerDialerTests() => _start = _time.GetTimestamp();

    private TimeSpan Now => _time.GetElapsedTime(_start);

    [Fact]
    public async Task DialAsync_PeerRefuses_AtOnceThenWithGrowingPausesThenTheCircuitOpens()
    {
        var dialer = NewDialer(_ => DialResult.Failed("refused"));
        using var stop = new CancellationTokenSource();
        var dialling = dialer.DialAsync(wasUp: true, stop.Token);

        await AdvanceUntilAsync(() => dialer.Circuit == CircuitState.Open);
        Assert.Equal(Options.BreakAfter, _attempts.Count);
        Assert.Equal(TimeSpan.Zero, _attempts[0]);
        Assert.True(_attempts[^1] > TimeSpan.FromMilliseconds(200), $"the last of {_attempts.Count} came at {_attempts[^1]}"); // the pauses grew

        // One attempt each time that the break is over.
        var opened = _attempts[^1];
        for (var probes = 1; probes <= 2; probes++)
        {
            await AdvanceUntilAsync(() => _attempts.Count == Options.BreakAfter + probes);
            Assert.True(_attempts[^1] - opened >= probes * Options.BreakDuration, $"probe {probes} came {_attempts[^1] - opened} after the break began");
        }

        await AdvanceUntilAsync(() => _failures.Count == Options.BreakAfter + 2);
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => dialling);
    }

    [Fact]
    public async Task Request_CircuitOpen_DialsAtOnce()
    {
        var answers = false;
        Options.BreakDuration = TimeSpan.FromHours(1);
        var dialer = NewDialer(_ => answers ? DialResult.NotNeeded : DialResult.Failed("refused"));
        var dialling = dialer.DialAsync(wasUp: false, CancellationToken.None);
        await AdvanceUntilAsync(() => dialer.Circuit == CircuitState.Open);
        answers = true;
        var before = Now;
        await AdvanceUntilAsync(() => dialling.IsCompleted || Now - before > 2 * Options.LongestRetry);
        Assert.False(dialling.IsCompleted);

        dialer.Request();

        before = Now;
        await AdvanceUntilAsync(() => dialling.IsCompleted || Now - before > 10 * Options.LongestRetry);
        Assert.True(dialling.IsCompleted);
        Assert.Equal(DialResult.NotNeeded, await dialling);
        Assert.Equal(CircuitState.Closed, dialer.Circuit);
    }

    [Fact]
    public async Task Request_AgainAndAgain_DialsOnceAFirstPauseAtMost()
    {
        var dialer = NewDialer(_ => DialResult.Failed("refused"));
        using var stop = new CancellationTokenSource();
        var dialling = dialer.DialAsync(wasUp: false, stop.Token);
        await AdvanceUntilAsync(() =>
        {
            dialer.Request();
            return _attempts.Count >= 10;
        });

        Assert.InRange(_attempts[9], 4 * Options.FirstRetry, TimeSpan.FromMinutes(1)); // jitter makes a pause of its own shorter
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => dialling);
    }

    [Fact]
    public async Task DialAsync_NoAnswer_TheFirstAttemptAfterALossIsShort()
    {
        var dialer = new PeerDialer(Options, _time, async token =>
        {
            _attempts.Add(Now);
            await Task.Delay(Timeout.Infinite, token);
            return DialResult.NotNeeded;
        }, result => _failures.Add(result.Failure!));
        using var stop = new CancellationTokenSource();
        var dialling = dialer.DialAsync(wasUp: true, stop.Token);

        await AdvanceUntilAsync(() => _failures.Count == 2);

        Assert.Equal("no answer within 0.1 s", _failures[0]);
        Assert.Equal("no answer within 0.4 s", _failures[1]);
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => dialling);
    }

    [Fact]
    public async Task DialAsync_AnswersAtTheThirdAttempt_ReturnsThenEachTimeAnew()
    {
        var dialer = NewDialer(attempt => attempt < 3 ? DialResult.Failed("refused") : DialResult.NotNeeded);
        for (var series = 0; series < 3; series++)
        {
            _attempts.Clear();
            var dialling = dialer.DialAsync(wasUp: true, CancellationToken.None);
            await AdvanceUntilAsync(() => dialling.IsCompleted);
            Assert.Equal(3, _attempts.Count);
        }
    }

    private PeerDialer NewDialer(Func<int, DialResult> answer) => new(Options, _time, _ =>
    {
        _attempts.Add(Now);
        return ValueTask.FromResult(answer(_attempts.Count));
    }, result => _failures.Add(result.Failure!));

    private async Task AdvanceUntilAsync(Func<bool> isDone)
    {
        while (!isDone())
        {
            TestContext.Current.CancellationToken.ThrowIfCancellationRequested();
            await AdvanceAsync(Tick);
        }
    }

    // Continuations run on the pool: they get their turn before time goes on.
    private async Task AdvanceAsync(TimeSpan time)
    {
        await Task.Delay(1, TestContext.Current.CancellationToken);
        _time.Advance(time);
        await Task.Delay(1, TestContext.Current.CancellationToken);
    }
}
