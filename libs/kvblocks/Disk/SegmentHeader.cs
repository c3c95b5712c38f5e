using System.Buffers.Binary;
using Parallax.Transport.Framing;

namespace Parallax.KvBlocks.Disk;

/// <summary>The beginning of a segment file, 32 bytes, little-endian: <code>"PLXKVSG\n" 8 | version 4 | zero 4 | mark 8 | zero 4 | CRC-32C of all before 4</code></summary>
internal static class SegmentHeader
{
    public const int Size = 32;

    /// <summary>The version that this program writes and reads.</summary>
    public const uint Version = 1;

    private const int ChecksumAt = Size - sizeof(uint);

    private static ReadOnlySpan<byte> Magic => "PLXKVSG\n"u8;

    public static void Write(Span<byte> bytes, ulong mark, uint version = Version)
    {
        bytes = bytes[..Size];
        bytes.Clear();
        Magic.CopyTo(bytes);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes[8..], version);
        BinaryPrimitives.WriteUInt64LittleEndian(bytes[16..], mark);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes[ChecksumAt..], Crc32C.Compute(bytes[..ChecksumAt]));
    }

    /// <summary>Reads a header.</summary>
    /// <param name="bytes">The file's first bytes, as many as there are.</param>
    /// <param name="mark">What begins each record.</param>
    /// <param name="version">The file's version; of use with <see cref="SegmentKind.OtherVersion"/>.</param>
    public static SegmentKind Read(ReadOnlySpan<byte> bytes, out ulong mark, out uint version)
    {
        (mark, version) = (0, 0);
        if (bytes.Length < Size)
        {
            // One that was cut off while it was made holds nothing; what else is so short is not ours.
            return Magic.StartsWith(bytes[..Math.Min(bytes.Length, Magic.Length)]) ? SegmentKind.Empty : SegmentKind.Foreign;
        }

        if (!bytes.StartsWith(Magic))
        {
            return SegmentKind.Foreign;
        }

        version = BinaryPrimitives.ReadUInt32LittleEndian(bytes[8..]);
        if (version != Version)
        {
            return SegmentKind.OtherVersion;
        }

        mark = BinaryPrimitives.ReadUInt64LittleEndian(bytes[16..]);
        return BinaryPrimitives.ReadUInt32LittleEndian(bytes[ChecksumAt..]) == Crc32C.Compute(bytes[..ChecksumAt]) ? SegmentKind.Ours : SegmentKind.Damaged;
    }
}
