namespace Parallax.Transport.Links;

/// <summary>
/// Counts a peer's refusals in windows and says when it has had too many. Pure: "now" is a parameter. Not thread-safe.
/// </summary>
internal sealed class AbuseGuard(int threshold, TimeSpan window, TimeSpan penalty)
{
    private DateTimeOffset _windowStart = DateTimeOffset.MinValue;
    private int _count;

    /// <summary>Until when the peer is refused.</summary>
    public DateTimeOffset RefusedUntil { get; private set; } = DateTimeOffset.MinValue;

    /// <summary>Counts one refusal; true when the link is to be closed for it.</summary>
    public bool Count(DateTimeOffset now)
    {
        if (now - _windowStart > window)
        {
            (_windowStart, _count) = (now, 0);
        }

        _count++;
        if (_count <= threshold)
        {
            return false;
        }

        _count = 0;
        RefusedUntil = now + penalty;
        return true;
    }

    /// <summary>Whether the peer is refused now.</summary>
    public bool IsRefused(DateTimeOffset now) => now < RefusedUntil;
}
