namespace Parallax.Swarm.Joining;

/// <summary>The number by which one run of a member is told from an earlier one: larger each time, as long as the clock does not go back.</summary>
public static class MemberIncarnation
{
    /// <summary>Microseconds since 1970.</summary>
    public static long Now(TimeProvider clock)
    {
        ArgumentNullException.ThrowIfNull(clock);
        return (clock.GetUtcNow().UtcTicks - DateTimeOffset.UnixEpoch.UtcTicks) / TimeSpan.TicksPerMicrosecond;
    }
}
