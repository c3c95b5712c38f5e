using Microsoft.Extensions.Time.Testing;

namespace Parallax.UnitTests.EventStore;

/// <summary>A clock that tells when somebody has begun to wait for a given time, so that a test advances it no sooner.</summary>
internal sealed class WatchedClock(TimeSpan watched) : FakeTimeProvider
{
    private int _waits;

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = base.CreateTimer(callback, state, dueTime, period);
        if (dueTime == watched)
        {
            Interlocked.Increment(ref _waits);
        }

        return timer;
    }

    /// <summary>Advances by the watched time, and returns when the wait that it ended has been followed by another.</summary>
    public async Task StepAsync(CancellationToken cancellationToken)
    {
        var before = Volatile.Read(ref _waits);
        Advance(watched);
        while (Volatile.Read(ref _waits) == before)
        {
            await Task.Delay(1, cancellationToken);
        }
    }
}
