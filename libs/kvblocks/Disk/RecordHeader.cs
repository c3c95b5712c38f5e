using System.Buffers.Binary;
using Parallax.Transport.Framing;

namespace Parallax.KvBlocks.Disk;

/// <summary>
/// What stands before a part's bytes in a segment, 80 bytes, little-endian:
/// <code>mark 8 | version 1 | kind 1 | layer 2 | length 4 | hash 16 | previous 16 | tenant 16 | CRC-32C of the bytes 4 | zero 8 | CRC-32C of all before 4</code>
/// The mark is the segment's own random number: bytes that somebody put can not pass for a record.
/// </summary>
/// <param name="Part">Whose, and its address.</param>
/// <param name="Checksum">The CRC-32C of its bytes.</param>
internal readonly record struct RecordHeader(ScannedPart Part, uint Checksum)
{
    public const int Size = 80;

    private const byte Version = 1;
    private const int ChecksumAt = Size - sizeof(uint);

    /// <summary>Bytes of a record with a part of this length.</summary>
    public static long RecordBytes(int length) => Size + length;

    public void Write(Span<byte> bytes, ulong mark)
    {
        bytes = bytes[..Size];
        bytes.Clear();
        BinaryPrimitives.WriteUInt64LittleEndian(bytes, mark);
        bytes[8] = Version;
        bytes[9] = (byte)Part.Address.Kind;
        BinaryPrimitives.WriteUInt16LittleEndian(bytes[10..], (ushort)Part.Address.Layer);
        BinaryPrimitives.WriteInt32LittleEndian(bytes[12..], Part.Length);
        BinaryPrimitives.WriteUInt128LittleEndian(bytes[16..], Part.Address.Hash);
        BinaryPrimitives.WriteUInt128LittleEndian(bytes[32..], Part.Previous);
        BinaryPrimitives.WriteUInt128LittleEndian(bytes[48..], Part.Tenant.Value);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes[64..], Checksum);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes[ChecksumAt..], Crc32C.Compute(bytes[..ChecksumAt]));
    }

    /// <summary>Reads a header; false when these bytes are none of a segment with this mark.</summary>
    public static bool TryRead(ReadOnlySpan<byte> bytes, ulong mark, out RecordHeader header)
    {
        header = default;
        if (bytes.Length < Size
            || BinaryPrimitives.ReadUInt64LittleEndian(bytes) != mark
            || bytes[8] != Version
            || BinaryPrimitives.ReadUInt32LittleEndian(bytes[ChecksumAt..]) != Crc32C.Compute(bytes[..ChecksumAt]))
        {
            return false;
        }

        var address = new PartAddress(
            BinaryPrimitives.ReadUInt128LittleEndian(bytes[16..]), (PartKind)bytes[9], BinaryPrimitives.ReadUInt16LittleEndian(bytes[10..]));
        var length = BinaryPrimitives.ReadInt32LittleEndian(bytes[12..]);
        if (!address.IsValid || length is < 1 or > PartLimits.MostPartBytes)
        {
            return false;
        }

        header = new RecordHeader(
            new ScannedPart(
                new TenantId(BinaryPrimitives.ReadUInt128LittleEndian(bytes[48..])), address, length, BinaryPrimitives.ReadUInt128LittleEndian(bytes[32..])),
            BinaryPrimitives.ReadUInt32LittleEndian(bytes[64..]));
        return true;
    }
}
