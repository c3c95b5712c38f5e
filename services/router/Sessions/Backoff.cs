namespace Parallax.Router.Sessions;

/// <summary>Pauses between attempts: doubled each time up to a longest, and scattered so that routers do not march in step.</summary>
internal static class Backoff
{
    /// <param name="attempt">Failed attempts so far, from 1.</param>
    /// <param name="first">The pause after the first.</param>
    /// <param name="longest">No pause is longer.</param>
    /// <param name="scatter">In [0, 1): where between half and the whole pause.</param>
    public static TimeSpan Pause(int attempt, TimeSpan first, TimeSpan longest, double scatter)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(attempt, 1);
        var doublings = Math.Min(attempt - 1, 30);
        var whole = Math.Min(longest.TotalMilliseconds, first.TotalMilliseconds * (1L << doublings));
        return TimeSpan.FromMilliseconds(whole * (0.5 + (0.5 * scatter)));
    }
}
