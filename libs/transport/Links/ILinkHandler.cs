using Parallax.Transport.Buffers;
using Parallax.Transport.Framing;
using Parallax.Transport.Liveness;

namespace Parallax.Transport.Links;

/// <summary>
/// Whoever sits on top of the links. Calls for one link come one at a time, on I/O threads, in the order Connected,
/// frames, Disconnected per generation (OnLiveness and OnUnreachable alone may come beside them); they must be short and must not block:
/// hand over to a loop. An exception out of
/// a handler is a bug and ends the connection.
/// </summary>
public interface ILinkHandler
{
    /// <summary>
    /// Connection <paramref name="generation"/> of the link is up: send State for each session whose previous hop the
    /// peer is, and await the peer's.
    /// </summary>
    void OnConnected(Link link, long generation, HelloFrame peer);

    /// <summary>
    /// A frame of type Rows or Flow, its header checked. The handler owns <paramref name="frame"/> and disposes it; the
    /// link stops reading while the handler holds more than <see cref="LinkOptions.ReceiveBytes"/>. Runs and messages
    /// that the handler finds bad it reports with <see cref="Link.CountRefusal"/>.
    /// </summary>
    void OnFrame(Link link, long generation, TensorBuffer frame, in FrameHeader header);

    /// <summary>The connection is gone; what was queued on it is dropped.</summary>
    void OnDisconnected(Link link, long generation, LinkDownReason reason);

    /// <summary>The peer's liveness changed; Dead comes before the Disconnected that it causes.</summary>
    void OnLiveness(Link link, PeerLiveness liveness);

    /// <summary>
    /// A link that this side dials was up, is down, and cannot be had back at once: the attempt that follows a
    /// Disconnected without a pause has failed or had no answer within <see cref="LinkOptions.RedialTimeout"/>, or the
    /// peer was silent until it was called Dead. Once for each time that the link has been up; dialling goes on. Comes
    /// after Disconnected, on a thread of the pool; the peer may connect at the same time, and then
    /// <see cref="Link.Generation"/> is not 0 any more.
    /// </summary>
    void OnUnreachable(Link link, string why)
    {
    }
}
