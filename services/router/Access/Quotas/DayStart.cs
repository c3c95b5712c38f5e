namespace Parallax.Router.Access.Quotas;

/// <summary>Where in an event store a time begins, found by halving: stores know positions, and times rise with them. Pure.</summary>
internal static class DayStart
{
    /// <summary>A position behind which all events of a time and later are, and few from before.</summary>
    /// <param name="since">The time.</param>
    /// <param name="next">The first event behind a position: its position and time; null where there is none.</param>
    public static async Task<long> FindAsync(DateTimeOffset since, Func<long, Task<(long Position, DateTimeOffset At)?>> next)
    {
        // All events up to low are from before; the first one behind high is not, or there is none.
        long low = 0;
        long high = 1;
        while (await next(high) is { } one && one.At < since)
        {
            low = one.Position;
            high = Math.Max(high * 2, one.Position + 1);
        }

        while (low < high)
        {
            var middle = low + ((high - low) / 2);
            if (await next(middle) is { } found && found.At < since)
            {
                low = found.Position;
            }
            else
            {
                high = middle;
            }
        }

        return low;
    }
}
