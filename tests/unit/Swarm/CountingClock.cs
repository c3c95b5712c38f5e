using Microsoft.Extensions.Time.Testing;

namespace Parallax.UnitTests.Swarm;

/// <summary>A clock that is set by hand and knows how many timers are running, so that a test can tell when loops have come to rest.</summary>
internal sealed class CountingClock(DateTimeOffset start) : FakeTimeProvider(start)
{
    private int _running;

    /// <summary>One-shot timers that have neither fired nor been disposed.</summary>
    public int Running => Volatile.Read(ref _running);

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = new CountedTimer(this);
        Interlocked.Increment(ref _running);
        timer.Inner = base.CreateTimer(
            given =>
            {
                timer.End();
                callback(given);
            },
            state,
            dueTime,
            period);
        return timer;
    }

    private sealed class CountedTimer(CountingClock clock) : ITimer
    {
        private int _ended;

        public ITimer? Inner { get; set; }

        public void End()
        {
            if (Interlocked.Exchange(ref _ended, 1) == 0)
            {
                Interlocked.Decrement(ref clock._running);
            }
        }

        public bool Change(TimeSpan dueTime, TimeSpan period) => Inner!.Change(dueTime, period);

        public void Dispose()
        {
            End();
            Inner?.Dispose();
        }

        public ValueTask DisposeAsync()
        {
            Dispose();
            return ValueTask.CompletedTask;
        }
    }
}
