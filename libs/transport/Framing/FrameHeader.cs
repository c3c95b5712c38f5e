using System.Buffers.Binary;

namespace Parallax.Transport.Framing;

/// <summary>
/// The fixed part of every frame, little-endian. Offsets: 0 magic, 4 major, 5 minor, 6 type (u16), 8 header length
/// (u16), 10 zero (u16), 12 body length (u32), 16 CRC-32C (u32) over everything but itself, 20 trace id (16),
/// 36 span id (8), 44 trace flags (1), 45 zero (3); since minor 1: 48 frame number on the connection (u64).
/// </summary>
/// <remarks>
/// A newer minor appends header fields and raises the header length; a reader skips what it does not know. A field is
/// never reused. Version 1.0 peers send no frame number, so replays from them are not noticed here (their rows are
/// skipped by position all the same).
/// </remarks>
public readonly record struct FrameHeader
{
    /// <summary>The bytes 'P' 'L' 'X' 'F'.</summary>
    public const uint Magic = 0x4658_4C50;

    /// <summary>Major version of this build; another major is refused.</summary>
    public const byte CurrentMajor = 1;

    /// <summary>Minor version of this build.</summary>
    public const byte CurrentMinor = 1;

    /// <summary>Header length that this build writes.</summary>
    public const int Size = 56;

    internal const int BaseSize = 48;
    private const int ChecksumOffset = 16;

    /// <summary>Major version.</summary>
    public byte Major { get; init; }

    /// <summary>Minor version.</summary>
    public byte Minor { get; init; }

    /// <summary>What the body holds; possibly a value that this build does not know.</summary>
    public FrameType Type { get; init; }

    /// <summary>Header bytes; the body follows.</summary>
    public int HeaderLength { get; init; }

    /// <summary>Body bytes.</summary>
    public int BodyLength { get; init; }

    /// <summary>The trace that the frame belongs to.</summary>
    public TraceContext Trace { get; init; }

    /// <summary>Number of the frame on its connection, from 1; 0 when the sender does not number (version 1.0).</summary>
    public ulong Number { get; init; }

    /// <summary>
    /// Reads and checks a whole frame: sizes, version, checksum. The type is not judged. Nothing is allocated.
    /// </summary>
    /// <returns><see cref="FrameRefusal.None"/>, or why the frame is refused; the header is then not to be used.</returns>
    public static FrameRefusal Read(ReadOnlySpan<byte> frame, out FrameHeader header)
    {
        header = default;
        if (frame.Length < BaseSize)
        {
            return FrameRefusal.TooShort;
        }

        if (frame.Length > FrameLimits.MaxFrameBytes)
        {
            return FrameRefusal.TooLong;
        }

        if (BinaryPrimitives.ReadUInt32LittleEndian(frame) != Magic)
        {
            return FrameRefusal.BadMagic;
        }

        if (frame[4] != CurrentMajor)
        {
            return FrameRefusal.UnsupportedVersion;
        }

        var minor = frame[5];
        int headerLength = BinaryPrimitives.ReadUInt16LittleEndian(frame[8..]);
        if (headerLength < (minor >= 1 ? Size : BaseSize) || headerLength > frame.Length || headerLength % 4 != 0)
        {
            return FrameRefusal.BadHeaderLength;
        }

        var bodyLength = BinaryPrimitives.ReadUInt32LittleEndian(frame[12..]);
        if (bodyLength != (uint)(frame.Length - headerLength))
        {
            return FrameRefusal.LengthMismatch;
        }

        if (BinaryPrimitives.ReadUInt32LittleEndian(frame[ChecksumOffset..]) != Checksum(frame))
        {
            return FrameRefusal.ChecksumMismatch;
        }

        header = new FrameHeader
        {
            Major = frame[4],
            Minor = minor,
            Type = (FrameType)BinaryPrimitives.ReadUInt16LittleEndian(frame[6..]),
            HeaderLength = headerLength,
            BodyLength = (int)bodyLength,
            Trace = new TraceContext(
                BinaryPrimitives.ReadUInt128BigEndian(frame[20..]),
                BinaryPrimitives.ReadUInt64BigEndian(frame[36..]),
                frame[44]),
            Number = minor >= 1 ? BinaryPrimitives.ReadUInt64LittleEndian(frame[BaseSize..]) : 0,
        };
        return FrameRefusal.None;
    }

    /// <summary>Writes everything but number and checksum into a frame whose body is already in place after <see cref="Size"/> bytes.</summary>
    internal static void Write(Span<byte> frame, FrameType type, in TraceContext trace)
    {
        BinaryPrimitives.WriteUInt32LittleEndian(frame, Magic);
        frame[4] = CurrentMajor;
        frame[5] = CurrentMinor;
        BinaryPrimitives.WriteUInt16LittleEndian(frame[6..], (ushort)type);
        BinaryPrimitives.WriteUInt16LittleEndian(frame[8..], Size);
        BinaryPrimitives.WriteUInt16LittleEndian(frame[10..], 0);
        BinaryPrimitives.WriteUInt32LittleEndian(frame[12..], (uint)(frame.Length - Size));
        BinaryPrimitives.WriteUInt32LittleEndian(frame[ChecksumOffset..], 0);
        BinaryPrimitives.WriteUInt128BigEndian(frame[20..], trace.TraceId);
        BinaryPrimitives.WriteUInt64BigEndian(frame[36..], trace.SpanId);
        frame[44] = trace.Flags;
        frame[45..BaseSize].Clear();
        BinaryPrimitives.WriteUInt64LittleEndian(frame[BaseSize..], 0);
    }

    /// <summary>
    /// Numbers a finished frame and writes its checksum. The link does this as it sends: the order of sending is known only
    /// then.
    /// </summary>
    public static void Seal(Span<byte> frame, ulong number)
    {
        BinaryPrimitives.WriteUInt64LittleEndian(frame[BaseSize..], number);
        BinaryPrimitives.WriteUInt32LittleEndian(frame[ChecksumOffset..], Checksum(frame));
    }

    internal static uint Checksum(ReadOnlySpan<byte> frame) =>
        Crc32C.Append(Crc32C.Compute(frame[..ChecksumOffset]), frame[(ChecksumOffset + sizeof(uint))..]);
}
