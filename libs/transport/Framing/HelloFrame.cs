using System.Buffers.Binary;
using System.Text;
using Parallax.Transport.Buffers;

namespace Parallax.Transport.Framing;

/// <summary>Who speaks on a connection and what it understands; the first frame in each direction.</summary>
/// <remarks>
/// Body, little-endian: 0 length of the fixed part (u16), 2 length of the peer id (u16), 4 lowest major, 5 highest major,
/// 6 minor, 7 zero, 8 incarnation (i64); from the fixed part's end: the peer id in UTF-8. A newer minor appends to the
/// fixed part or behind the id.
/// </remarks>
/// <param name="PeerId">The speaker's id, 1 to 128 bytes of UTF-8.</param>
/// <param name="Incarnation">Drawn when its process started, larger each time.</param>
/// <param name="LowestMajor">First major version it speaks.</param>
/// <param name="HighestMajor">Last major version it speaks.</param>
/// <param name="Minor">Its minor version.</param>
public sealed record HelloFrame(string PeerId, long Incarnation, byte LowestMajor, byte HighestMajor, byte Minor)
{
    private const int FixedSize = 16;

    /// <summary>A Hello of this build.</summary>
    public static HelloFrame Create(string peerId, long incarnation) =>
        new(peerId, incarnation, FrameHeader.CurrentMajor, FrameHeader.CurrentMajor, FrameHeader.CurrentMinor);

    /// <summary>Whether this build and the speaker share a major version.</summary>
    public bool IsCompatible => LowestMajor <= FrameHeader.CurrentMajor && HighestMajor >= FrameHeader.CurrentMajor;

    /// <summary>An unsealed frame.</summary>
    public TensorBuffer ToFrame(TensorBufferPool pool)
    {
        ArgumentNullException.ThrowIfNull(pool);
        var id = PeerIdText.Encode(PeerId);
        var frame = pool.Rent(FrameHeader.Size + FixedSize + id.Length, "hello frame");
        FrameHeader.Write(frame.Span, FrameType.Hello, default);
        var body = frame.Span[FrameHeader.Size..];
        BinaryPrimitives.WriteUInt16LittleEndian(body, FixedSize);
        BinaryPrimitives.WriteUInt16LittleEndian(body[2..], (ushort)id.Length);
        (body[4], body[5], body[6], body[7]) = (LowestMajor, HighestMajor, Minor, 0);
        BinaryPrimitives.WriteInt64LittleEndian(body[8..], Incarnation);
        id.CopyTo(body[FixedSize..]);
        return frame;
    }

    /// <summary>Reads the body of a Hello.</summary>
    public static FrameRefusal Read(ReadOnlySpan<byte> frame, in FrameHeader header, out HelloFrame? hello)
    {
        hello = null;
        if (header.Type != FrameType.Hello)
        {
            return FrameRefusal.UnexpectedType;
        }

        var body = frame.Slice(header.HeaderLength, header.BodyLength);
        if (body.Length < FixedSize)
        {
            return FrameRefusal.BadBody;
        }

        int fixedPart = BinaryPrimitives.ReadUInt16LittleEndian(body);
        int idLength = BinaryPrimitives.ReadUInt16LittleEndian(body[2..]);
        if (fixedPart < FixedSize || fixedPart + idLength > body.Length)
        {
            return FrameRefusal.BadBody;
        }

        if (!PeerIdText.TryDecode(body.Slice(fixedPart, idLength), out var id))
        {
            return FrameRefusal.BadPeerId;
        }

        hello = new HelloFrame(id, BinaryPrimitives.ReadInt64LittleEndian(body[8..]), body[4], body[5], body[6]);
        return FrameRefusal.None;
    }
}

/// <summary>Peer ids on the wire.</summary>
internal static class PeerIdText
{
    private static readonly UTF8Encoding Strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    public static byte[] Encode(string peerId)
    {
        ArgumentException.ThrowIfNullOrEmpty(peerId);
        var bytes = Strict.GetBytes(peerId);
        return bytes.Length <= FrameLimits.MaxPeerIdBytes
            ? bytes
            : throw new ArgumentException(
                $"A peer id has at most {FrameLimits.MaxPeerIdBytes} bytes; this one has {bytes.Length}.", nameof(peerId));
    }

    public static bool TryDecode(ReadOnlySpan<byte> bytes, out string peerId)
    {
        peerId = "";
        if (bytes.Length is 0 or > FrameLimits.MaxPeerIdBytes || !System.Text.Unicode.Utf8.IsValid(bytes))
        {
            return false;
        }

        peerId = Strict.GetString(bytes);
        return true;
    }
}
