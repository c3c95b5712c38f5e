namespace Parallax.EventStore;

/// <summary>Times as stores keep them: whole microseconds since 1970.</summary>
internal static class Timestamps
{
    public static long ToMicroseconds(DateTimeOffset time) => (time - DateTimeOffset.UnixEpoch).Ticks / TimeSpan.TicksPerMicrosecond;

    public static DateTimeOffset FromMicroseconds(long microseconds) => DateTimeOffset.UnixEpoch.AddTicks(microseconds * TimeSpan.TicksPerMicrosecond);

    public static DateTimeOffset Rounded(DateTimeOffset time) => FromMicroseconds(ToMicroseconds(time));
}
