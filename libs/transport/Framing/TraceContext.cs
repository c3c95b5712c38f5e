namespace Parallax.Transport.Framing;

/// <summary>W3C trace context in binary: 16 bytes of trace id, 8 of span id (both big-endian numbers here), one of flags.</summary>
/// <param name="TraceId">All zero: none.</param>
/// <param name="SpanId">The sending span.</param>
/// <param name="Flags">Bit 0: sampled.</param>
public readonly record struct TraceContext(UInt128 TraceId, ulong SpanId, byte Flags);
