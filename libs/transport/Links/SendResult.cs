namespace Parallax.Transport.Links;

/// <summary>What became of a frame offered to a link.</summary>
public enum SendResult
{
    /// <summary>Queued; the link owns the frame now.</summary>
    Queued,

    /// <summary>No room at this priority; the caller keeps the frame and may wait for room.</summary>
    Full,

    /// <summary>Not connected, or not as the connection that was named; the caller keeps the frame, which is worthless now.</summary>
    NotConnected,
}
