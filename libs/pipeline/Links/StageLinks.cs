using Parallax.Transport.Buffers;
using Parallax.Transport.Framing;
using Parallax.Transport.Links;
using Parallax.Transport.Liveness;

namespace Parallax.Pipeline.Links;

/// <summary>A worker's links as its stages see them: hands what arrives to the engine of each session.</summary>
/// <param name="incarnation">The worker's incarnation.</param>
public sealed class StageLinks(long incarnation) : ILinkHandler
{
    /// <summary>The worker's incarnation.</summary>
    public long Incarnation => incarnation;

    /// <summary>Names the hub that dials; once, before the first session is opened.</summary>
    public void Attach(LinkHub hub) => Hub = hub;

    internal LinkHub? Hub { get; private set; }

    /// <inheritdoc/>
    public void OnConnected(Link link, long generation, HelloFrame peer)
    {
    }

    /// <inheritdoc/>
    public void OnFrame(Link link, long generation, TensorBuffer frame, in FrameHeader header) => frame.Dispose();

    /// <inheritdoc/>
    public void OnDisconnected(Link link, long generation, LinkDownReason reason)
    {
    }

    /// <inheritdoc/>
    public void OnLiveness(Link link, PeerLiveness liveness)
    {
    }
}
