namespace Parallax.Router.Sessions;

/// <summary>
/// Draws the numbers that order sessions by age at all stages alike: microseconds of the wall clock, so that they go on
/// upwards when the router restarts, but never the same or a lower one twice, whatever the clock does. Thread-safe.
/// </summary>
internal sealed class ArrivalClock
{
    private long _last;

    /// <summary>The next number.</summary>
    public long Next(DateTimeOffset now)
    {
        var wall = (now - DateTimeOffset.UnixEpoch).Ticks / TimeSpan.TicksPerMicrosecond;
        while (true)
        {
            var last = Interlocked.Read(ref _last);
            var next = Math.Max(last + 1, wall);
            if (Interlocked.CompareExchange(ref _last, next, last) == last)
            {
                return next;
            }
        }
    }
}
