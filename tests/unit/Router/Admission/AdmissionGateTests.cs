using Microsoft.Extensions.Time.Testing;
using Parallax.Router.Admission;
using Parallax.Router.Api;

namespace Parallax.UnitTests.Router.Admission;

public class AdmissionGateTests
{
    private readonly FakeTimeProvider _clock = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Enter_RoomLeft_IsAtOnce()
    {
        var gate = NewGate(2, 0);

        using var one = await gate.EnterAsync(1, Token);
        using var two = await gate.EnterAsync(1, Token);

        Assert.Equal(new AdmissionLoad(2, 0, 0), gate.Load);
    }

    [Fact]
    public async Task Enter_Full_WaitsInOrder()
    {
        var gate = NewGate(2, 10);
        var running = await gate.EnterAsync(2, Token);
        var first = gate.EnterAsync(2, Token);
        var second = gate.EnterAsync(1, Token);

        Assert.False(first.IsCompleted);
        running.Dispose();
        using var turn = await first;
        Assert.False(second.IsCompleted);
        turn.Dispose();
        (await second).Dispose();
        Assert.Equal(default, gate.Load);
    }

    [Fact]
    public async Task Enter_SmallBehindLarge_DoesNotOvertake()
    {
        var gate = NewGate(2, 10);
        var running = await gate.EnterAsync(1, Token);
        var large = gate.EnterAsync(2, Token);
        var small = gate.EnterAsync(1, Token);

        Assert.False(small.IsCompleted);
        running.Dispose();
        (await large).Dispose();
        (await small).Dispose();
    }

    [Fact]
    public async Task Enter_QueueFull_IsRefusedWithRetryAfter()
    {
        var gate = NewGate(1, 1);
        using var running = await gate.EnterAsync(1, Token);
        var waiting = gate.EnterAsync(1, Token);

        var refusal = await Assert.ThrowsAsync<ApiException>(() => gate.EnterAsync(1, Token));

        Assert.Equal(429, refusal.Status);
        Assert.Equal(TimeSpan.FromSeconds(1), refusal.RetryAfter);
        running.Dispose();
        (await waiting).Dispose();
    }

    [Fact]
    public async Task Enter_WaitsTooLong_IsRefusedAndLeavesTheQueue()
    {
        var gate = NewGate(1, 1);
        using var running = await gate.EnterAsync(1, Token);
        var waiting = gate.EnterAsync(1, Token);

        _clock.Advance(TimeSpan.FromSeconds(61));

        Assert.Equal(429, (await Assert.ThrowsAsync<ApiException>(() => waiting)).Status);
        Assert.Equal(new AdmissionLoad(1, 0, 0), gate.Load);
    }

    [Fact]
    public async Task Enter_CancelledWhileWaiting_LetsTheNextPass()
    {
        var gate = NewGate(2, 10);
        using var running = await gate.EnterAsync(1, Token);
        using var cancelling = new CancellationTokenSource();
        var large = gate.EnterAsync(2, cancelling.Token);
        var small = gate.EnterAsync(1, Token);

        await cancelling.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => large);
        (await small).Dispose();
    }

    [Fact]
    public async Task Enter_MoreThanEverFits_IsABadRequest()
    {
        Assert.Equal("n", (await Assert.ThrowsAsync<ApiException>(() => NewGate(2, 1).EnterAsync(3, Token))).Param);
    }

    [Fact]
    public async Task WhenIdle_LastTicketGone_Completes()
    {
        var gate = NewGate(1, 1);
        var running = await gate.EnterAsync(1, Token);
        var idle = gate.WhenIdleAsync();

        Assert.False(idle.IsCompleted);
        running.Dispose();
        running.Dispose();
        await idle.WaitAsync(Token);
        Assert.True(gate.WhenIdleAsync().IsCompleted);
    }

    private AdmissionGate NewGate(int inFlight, int queued) => new(inFlight, queued, TimeSpan.FromSeconds(60), _clock);
}
