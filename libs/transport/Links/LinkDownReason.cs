namespace Parallax.Transport.Links;

/// <summary>Why a connection ended.</summary>
public enum LinkDownReason
{
    /// <summary>The stream or the socket failed, or the peer went away without a word.</summary>
    Broken,

    /// <summary>The peer said goodbye after a drain.</summary>
    PeerLeft,

    /// <summary>This side closed it.</summary>
    Closed,

    /// <summary>A newer connection of the same peer took its place.</summary>
    Superseded,

    /// <summary>Heartbeats and bytes stayed away.</summary>
    Dead,

    /// <summary>A frame failed its checks, so rows are lost: the connection starts anew.</summary>
    BadFrame,

    /// <summary>More refusals than allowed: the peer is refused for a while.</summary>
    Abuse,

    /// <summary>The peer did not read and the control queue ran full.</summary>
    ControlOverflow,
}
