using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Parallax.Contracts.Identifiers;

namespace Parallax.Transport.Framing;

/// <summary>
/// Head of a run: consecutive positions of one session. Several sessions' runs share a frame (a decode micro-batch is
/// many runs of one row).
/// </summary>
/// <remarks>
/// Wire form, little-endian: 0 run length (u32, all of it), 4 head length (u16), 6 kind (u8), 7 tensor type (u8),
/// 8 session (16), 24 epoch (28), 52 addressed incarnation (i64), 60 first position (i32), 64 count (i32), 68 width
/// (i32); then from the head length on: token ids (i32 a row), flags (1 byte a row, padded to four), rows of tensor
/// bytes, padded to four. A newer minor appends to the head.
/// </remarks>
/// <param name="Session">The session.</param>
/// <param name="Epoch">The epoch under which the sender sends.</param>
/// <param name="Incarnation">The receiver's incarnation that is addressed.</param>
/// <param name="Kind">Forward, rebuild or token.</param>
/// <param name="First">Position of the first row, or index of the first token.</param>
/// <param name="Count">Rows.</param>
/// <param name="Type">Layout of the payload.</param>
/// <param name="Width">Elements a row.</param>
public readonly record struct RowRun(
    SessionId Session, Epoch Epoch, long Incarnation, RowKind Kind, int First, int Count, TensorType Type, int Width)
{
    internal const int HeadSize = 72;

    /// <summary>Bytes of one row's payload, or -1 when type and width do not fit.</summary>
    public int RowBytes => TensorTypes.RowBytes(Type, Width);

    /// <summary>One past the last position.</summary>
    public int End => First + Count;

    /// <summary>Bytes of a run of <paramref name="count"/> rows on the wire.</summary>
    internal static long WireBytes(int rowBytes, long count) =>
        HeadSize + (count * 4) + Align4(count) + Align4(count * rowBytes);

    internal static long Align4(long value) => (value + 3) & ~3L;

    /// <summary>Most rows of <paramref name="rowBytes"/> payload bytes that fit into <paramref name="room"/> bytes as one run.</summary>
    internal static int RowsThatFit(int room, int rowBytes)
    {
        var rows = Math.Min(FrameLimits.MaxRows, Math.Max(0, (room - HeadSize) / (rowBytes + 5)));
        while (rows > 0 && WireBytes(rowBytes, rows) > room)
        {
            rows--;
        }

        return rows;
    }

    internal void Write(Span<byte> run)
    {
        BinaryPrimitives.WriteInt32LittleEndian(run, run.Length);
        BinaryPrimitives.WriteUInt16LittleEndian(run[4..], HeadSize);
        run[6] = (byte)Kind;
        run[7] = (byte)Type;
        WireFields.WriteSession(run[8..], Session);
        WireFields.WriteEpoch(run[24..], Epoch);
        BinaryPrimitives.WriteInt64LittleEndian(run[52..], Incarnation);
        BinaryPrimitives.WriteInt32LittleEndian(run[60..], First);
        BinaryPrimitives.WriteInt32LittleEndian(run[64..], Count);
        BinaryPrimitives.WriteInt32LittleEndian(run[68..], Width);
    }

    /// <summary>Reads a run whose length field has been checked: <paramref name="run"/> is exactly the run.</summary>
    internal static FrameRefusal Read(ReadOnlySpan<byte> run, out RowRunView view)
    {
        view = default;
        int headLength = BinaryPrimitives.ReadUInt16LittleEndian(run[4..]);
        if (headLength < HeadSize || headLength > run.Length || headLength % 4 != 0)
        {
            return FrameRefusal.BadHeadLength;
        }

        var head = new RowRun(
            WireFields.ReadSession(run[8..]),
            WireFields.ReadEpoch(run[24..]),
            BinaryPrimitives.ReadInt64LittleEndian(run[52..]),
            (RowKind)run[6],
            BinaryPrimitives.ReadInt32LittleEndian(run[60..]),
            BinaryPrimitives.ReadInt32LittleEndian(run[64..]),
            (TensorType)run[7],
            BinaryPrimitives.ReadInt32LittleEndian(run[68..]));
        var refusal = head.Check();
        if (refusal != FrameRefusal.None)
        {
            return refusal;
        }

        var rest = run[headLength..];
        var (ids, flags, payload) = (head.Count * 4, (int)Align4(head.Count), (long)head.Count * head.RowBytes);
        if (rest.Length != ids + flags + Align4(payload))
        {
            return FrameRefusal.BadCount;
        }

        view = new RowRunView(
            head,
            MemoryMarshal.Cast<byte, int>(rest[..ids]),
            rest.Slice(ids, head.Count),
            rest.Slice(ids + flags, (int)payload));
        return FrameRefusal.None;
    }

    /// <summary>Whether the fields are in bounds and fit each other.</summary>
    internal FrameRefusal Check()
    {
        if (Kind is not (RowKind.Forward or RowKind.Rebuild or RowKind.Token))
        {
            return FrameRefusal.UnknownKind;
        }

        if (Epoch.Term < 0 || Epoch.N < 0)
        {
            return FrameRefusal.BadValue;
        }

        if (Count is <= 0 or > FrameLimits.MaxRows)
        {
            return FrameRefusal.BadCount;
        }

        if (First < 0 || First > FrameLimits.MaxPosition - Count)
        {
            return FrameRefusal.BadPosition;
        }

        var fits = Kind == RowKind.Token
            ? Type is TensorType.None or TensorType.LogProb
            : Type is TensorType.Bf16 or TensorType.F32 or TensorType.Q8Block;
        return fits && RowBytes >= 0 ? FrameRefusal.None : FrameRefusal.BadTensor;
    }
}
