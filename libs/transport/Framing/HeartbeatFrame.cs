using System.Buffers.Binary;
using Parallax.Transport.Buffers;

namespace Parallax.Transport.Framing;

/// <summary>A ping or its answer, on the heartbeat connection.</summary>
/// <remarks>
/// Body, little-endian: 0 length of the fixed part (u16), 2 flags (u16; bit 0: answer), 4 zero (u32), 8 number (i64),
/// 16 incarnation (i64), 24 progress (i64). A newer minor appends to the fixed part.
/// </remarks>
/// <param name="IsAnswer">Whether it answers the ping of the same number.</param>
/// <param name="Number">Chosen by the side that pings; rising.</param>
/// <param name="Incarnation">The speaker's incarnation.</param>
/// <param name="Progress">The speaker's executor's count of finished steps.</param>
public readonly record struct HeartbeatFrame(bool IsAnswer, long Number, long Incarnation, long Progress)
{
    private const int FixedSize = 32;

    /// <summary>An unsealed frame.</summary>
    public TensorBuffer ToFrame(TensorBufferPool pool)
    {
        ArgumentNullException.ThrowIfNull(pool);
        var frame = pool.Rent(FrameHeader.Size + FixedSize, "heartbeat frame");
        FrameHeader.Write(frame.Span, FrameType.Heartbeat, default);
        var body = frame.Span[FrameHeader.Size..];
        BinaryPrimitives.WriteUInt16LittleEndian(body, FixedSize);
        BinaryPrimitives.WriteUInt16LittleEndian(body[2..], IsAnswer ? (ushort)1 : (ushort)0);
        BinaryPrimitives.WriteUInt32LittleEndian(body[4..], 0);
        BinaryPrimitives.WriteInt64LittleEndian(body[8..], Number);
        BinaryPrimitives.WriteInt64LittleEndian(body[16..], Incarnation);
        BinaryPrimitives.WriteInt64LittleEndian(body[24..], Progress);
        return frame;
    }

    /// <summary>Reads the body of a heartbeat.</summary>
    public static FrameRefusal Read(ReadOnlySpan<byte> frame, in FrameHeader header, out HeartbeatFrame heartbeat)
    {
        heartbeat = default;
        if (header.Type != FrameType.Heartbeat)
        {
            return FrameRefusal.UnexpectedType;
        }

        var body = frame.Slice(header.HeaderLength, header.BodyLength);
        if (body.Length < FixedSize || BinaryPrimitives.ReadUInt16LittleEndian(body) is var length && (length < FixedSize || length > body.Length))
        {
            return FrameRefusal.BadBody;
        }

        heartbeat = new HeartbeatFrame(
            (body[2] & 1) != 0,
            BinaryPrimitives.ReadInt64LittleEndian(body[8..]),
            BinaryPrimitives.ReadInt64LittleEndian(body[16..]),
            BinaryPrimitives.ReadInt64LittleEndian(body[24..]));
        return FrameRefusal.None;
    }
}
