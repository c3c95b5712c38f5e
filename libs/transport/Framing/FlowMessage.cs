using System.Buffers.Binary;
using Parallax.Contracts.Identifiers;

namespace Parallax.Transport.Framing;

/// <summary>Small messages about one session's flow over a hop. The values are the wire's.</summary>
public enum FlowMessageKind
{
    /// <summary>No message.</summary>
    None = 0,

    /// <summary>The receiver states what it has and wants (rule 4).</summary>
    State = 1,

    /// <summary>The receiver has computed up to `applied`.</summary>
    Ack = 2,

    /// <summary>Rows came under an epoch below the receiver's; the message names that lower epoch.</summary>
    Stale = 3,

    /// <summary>Rows came for a session, or an incarnation, that the receiver is not; the message names their epoch.</summary>
    Unknown = 4,
}

/// <summary>One message of the flow, without its wanted intervals.</summary>
/// <remarks>
/// Wire form, little-endian: 0 message length (u16), 2 head length (u16), 4 kind (u8), 5 flags (u8; bit 0: adds to
/// `want` only), 6 wanted intervals (u16), 8 session (16), 24 epoch (28), 52 incarnation (i64), 60 applied (i32);
/// from the head length on: intervals as (start, end) i32 pairs, ascending, not touching. A newer minor appends to the head.
/// </remarks>
/// <param name="Kind">Which message.</param>
/// <param name="Session">The session.</param>
/// <param name="Epoch">State and Ack: the speaker's epoch. Stale and Unknown: the epoch of the rows that came.</param>
/// <param name="Incarnation">The speaker's incarnation.</param>
/// <param name="Applied">Leading positions held without a gap (token link: adopted ids); 0 in Stale and Unknown.</param>
/// <param name="AddsOnly">State only: `applied` leaves the cursor alone, the intervals are wanted in addition.</param>
public readonly record struct FlowMessage(
    FlowMessageKind Kind, SessionId Session, Epoch Epoch, long Incarnation, int Applied, bool AddsOnly = false)
{
    internal const int HeadSize = 64;
    private const byte AddsOnlyBit = 1;

    internal static int WireBytes(int intervals) => HeadSize + (intervals * 8);

    internal void Write(Span<byte> bytes, ReadOnlySpan<PositionRange> want)
    {
        BinaryPrimitives.WriteUInt16LittleEndian(bytes, (ushort)bytes.Length);
        BinaryPrimitives.WriteUInt16LittleEndian(bytes[2..], HeadSize);
        bytes[4] = (byte)Kind;
        bytes[5] = AddsOnly ? AddsOnlyBit : (byte)0;
        BinaryPrimitives.WriteUInt16LittleEndian(bytes[6..], (ushort)want.Length);
        WireFields.WriteSession(bytes[8..], Session);
        WireFields.WriteEpoch(bytes[24..], Epoch);
        BinaryPrimitives.WriteInt64LittleEndian(bytes[52..], Incarnation);
        BinaryPrimitives.WriteInt32LittleEndian(bytes[60..], Applied);
        var at = HeadSize;
        foreach (var interval in want)
        {
            BinaryPrimitives.WriteInt32LittleEndian(bytes[at..], interval.Start);
            BinaryPrimitives.WriteInt32LittleEndian(bytes[(at + 4)..], interval.End);
            at += 8;
        }
    }

    /// <summary>Reads a message whose length field has been checked; intervals go to <paramref name="want"/>, which has room for the most.</summary>
    internal static FrameRefusal Read(
        ReadOnlySpan<byte> bytes, Span<PositionRange> want, out FlowMessage message, out int wanted)
    {
        message = default;
        wanted = 0;
        int headLength = BinaryPrimitives.ReadUInt16LittleEndian(bytes[2..]);
        if (headLength < HeadSize || headLength > bytes.Length || headLength % 4 != 0)
        {
            return FrameRefusal.BadHeadLength;
        }

        var kind = (FlowMessageKind)bytes[4];
        if (kind is < FlowMessageKind.State or > FlowMessageKind.Unknown)
        {
            return FrameRefusal.UnknownKind;
        }

        int intervals = BinaryPrimitives.ReadUInt16LittleEndian(bytes[6..]);
        var addsOnly = (bytes[5] & AddsOnlyBit) != 0;
        if (intervals > FrameLimits.MaxWantIntervals
            || bytes.Length != headLength + (intervals * 8)
            || (kind != FlowMessageKind.State && (intervals != 0 || addsOnly)))
        {
            return FrameRefusal.BadCount;
        }

        var epoch = WireFields.ReadEpoch(bytes[24..]);
        var applied = BinaryPrimitives.ReadInt32LittleEndian(bytes[60..]);
        if (epoch.Term < 0 || epoch.N < 0)
        {
            return FrameRefusal.BadValue;
        }

        if (applied is < 0 or > FrameLimits.MaxPosition)
        {
            return FrameRefusal.BadPosition;
        }

        var end = -1;
        for (var i = 0; i < intervals; i++)
        {
            var at = headLength + (i * 8);
            var range = new PositionRange(
                BinaryPrimitives.ReadInt32LittleEndian(bytes[at..]), BinaryPrimitives.ReadInt32LittleEndian(bytes[(at + 4)..]));
            if (range.Start <= end || range.Start < 0 || range.End <= range.Start || range.End > applied)
            {
                return FrameRefusal.BadIntervals;
            }

            end = range.End;
            want[i] = range;
        }

        wanted = intervals;
        message = new FlowMessage(
            kind, WireFields.ReadSession(bytes[8..]), epoch, BinaryPrimitives.ReadInt64LittleEndian(bytes[52..]), applied, addsOnly);
        return FrameRefusal.None;
    }
}

/// <summary>Positions [<paramref name="Start"/>, <paramref name="End"/>).</summary>
/// <param name="Start">The first.</param>
/// <param name="End">One past the last.</param>
public readonly record struct PositionRange(int Start, int End)
{
    /// <summary>How many positions.</summary>
    public int Count => End - Start;

    /// <inheritdoc/>
    public override string ToString() => $"[{Start},{End})";
}
