namespace Parallax.Transport.Links;

/// <summary>HTTP/2 windows of both sides: what may be in flight ahead of a control frame, beside the socket's buffers.</summary>
internal static class TransportLimits
{
    /// <summary>1 MiB: four full frames; fills 1 Gbit/s at 8 ms of round trip.</summary>
    public const int StreamWindowBytes = 1 << 20;
}
