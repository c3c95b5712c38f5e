using System.Buffers.Binary;
using System.Numerics;
using System.Runtime.InteropServices;
using Parallax.Runtime.Execution;

namespace Parallax.Runtime.Blocks;

/// <summary>
/// The bytes of a part, version 1; equal for all backends, instruction sets and cuts of one numeric class. Little-endian.
/// <code>
/// offset size
///  0     4    "PXKV"
///  4     2    version, 1
///  6     1    kind: 1 keys and values, 2 outputs
///  7     1    element: 1 bf16, 2 f32
///  8     4    layer, absolute
/// 12     4    KV heads; 1 for outputs
/// 16     4    values of one head and position (head dimension, or hidden size)
/// 20     4    positions, 16
/// 24     16   hash of the block
/// 40     ...  kind 1: per KV head, keys [16, head dimension], then values [16, head dimension]; keys are normed and rotated
///             kind 2: hidden states [16, hidden size]
/// </code>
/// There is no padding. Hash and layer are repeated inside, so that a store that mixes up its addresses is found out.
/// </summary>
public static class BlockPartForm
{
    /// <summary>Version of the form.</summary>
    public const int Version = 1;

    /// <summary>Bytes before the values.</summary>
    public const int HeaderBytes = 40;

    private const uint Magic = 0x564B_5850;

    /// <summary>Writes the header of a part.</summary>
    /// <param name="address">The part's address.</param>
    /// <param name="shape">How its values are arranged.</param>
    /// <param name="part">Of <see cref="BlockPartShape.Bytes"/> bytes; the values are not touched.</param>
    public static void WriteHeader(BlockPartAddress address, BlockPartShape shape, Span<byte> part)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(part.Length, shape.Bytes);
        BinaryPrimitives.WriteUInt32LittleEndian(part, Magic);
        BinaryPrimitives.WriteUInt16LittleEndian(part[4..], Version);
        part[6] = (byte)address.Kind;
        part[7] = ElementOf(shape);
        BinaryPrimitives.WriteInt32LittleEndian(part[8..], address.Layer);
        BinaryPrimitives.WriteInt32LittleEndian(part[12..], shape.Heads);
        BinaryPrimitives.WriteInt32LittleEndian(part[16..], shape.Width);
        BinaryPrimitives.WriteInt32LittleEndian(part[20..], KvGroup.BlockTokens);
        BinaryPrimitives.WriteUInt128LittleEndian(part[24..], address.Hash);
    }

    /// <summary>Checks a part that came from outside, before anything of it is used.</summary>
    /// <param name="part">The part; its address is what its sender says.</param>
    /// <param name="expected">The address that was asked for.</param>
    /// <param name="shape">The shape that such a part has here.</param>
    public static BlockPartFault Check(in BlockPart part, BlockPartAddress expected, BlockPartShape shape)
    {
        var bytes = part.Bytes.Span;
        if (part.Address != expected)
        {
            return BlockPartFault.Address;
        }

        if (bytes.Length != shape.Bytes)
        {
            return BlockPartFault.Size;
        }

        if (Checksum(bytes) != part.Checksum)
        {
            return BlockPartFault.Checksum;
        }

        if (BinaryPrimitives.ReadUInt32LittleEndian(bytes) != Magic
            || BinaryPrimitives.ReadUInt16LittleEndian(bytes[4..]) != Version
            || BinaryPrimitives.ReadInt32LittleEndian(bytes[20..]) != KvGroup.BlockTokens)
        {
            return BlockPartFault.Form;
        }

        if (bytes[6] != (byte)expected.Kind
            || BinaryPrimitives.ReadInt32LittleEndian(bytes[8..]) != expected.Layer
            || BinaryPrimitives.ReadUInt128LittleEndian(bytes[24..]) != expected.Hash)
        {
            return BlockPartFault.Address;
        }

        return bytes[7] != ElementOf(shape)
            || BinaryPrimitives.ReadInt32LittleEndian(bytes[12..]) != shape.Heads
            || BinaryPrimitives.ReadInt32LittleEndian(bytes[16..]) != shape.Width
            ? BlockPartFault.Shape
            : BlockPartFault.None;
    }

    /// <summary>CRC-32C (Castagnoli, RFC 3720) of a part's bytes: reflected, start and final value all ones.</summary>
    public static uint Checksum(ReadOnlySpan<byte> bytes)
    {
        var crc = uint.MaxValue;
        foreach (var word in MemoryMarshal.Cast<byte, ulong>(bytes))
        {
            crc = BitOperations.Crc32C(crc, word);
        }

        foreach (var value in bytes[(bytes.Length & ~7)..])
        {
            crc = BitOperations.Crc32C(crc, value);
        }

        return ~crc;
    }

    private static byte ElementOf(BlockPartShape shape) => shape.Element == ResidualPrecision.BF16 ? (byte)1 : (byte)2;
}
