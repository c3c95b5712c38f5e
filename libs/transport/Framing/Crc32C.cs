using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.Arm;
using System.Runtime.Intrinsics.X86;

namespace Parallax.Transport.Framing;

/// <summary>
/// CRC-32C (Castagnoli, RFC 3720): reflected polynomial 0x82F63B78, start and final value all ones. Uses the CPU's
/// instruction (SSE4.2, Armv8) where it has one.
/// </summary>
public static class Crc32C
{
    private const uint ReflectedPolynomial = 0x82F63B78;

    private const int Stretch = 1024;

    private static readonly uint[] Table = BuildTable();
    private static readonly uint[] ShiftTable = BuildShiftTable(); // after Table, which it is built with

    /// <summary>The checksum of <paramref name="bytes"/>.</summary>
    public static uint Compute(ReadOnlySpan<byte> bytes) => Append(0, bytes);

    /// <summary>The checksum of some bytes followed by <paramref name="bytes"/>, given the checksum of the former (0 for none).</summary>
    public static uint Append(uint checksum, ReadOnlySpan<byte> bytes)
    {
        var crc = ~checksum;
        if (Sse42.X64.IsSupported)
        {
            crc = AppendX64(crc, bytes);
        }
        else if (Crc32.Arm64.IsSupported)
        {
            crc = AppendArm64(crc, bytes);
        }
        else
        {
            crc = AppendSoftware(crc, bytes);
        }

        return ~crc;
    }

    /// <summary>The portable form, on the inverted register; the tests compare the instruction with it.</summary>
    internal static uint AppendSoftware(uint crc, ReadOnlySpan<byte> bytes)
    {
        foreach (var value in bytes)
        {
            crc = Table[(byte)crc ^ value] ^ (crc >> 8);
        }

        return crc;
    }

    // The instruction takes a new operand every cycle but answers after three: three stretches of a round are summed side
    // by side and joined, because a checksum is linear: sum(a b) = shift(sum(a), length of b) ^ sum(b).
    private static uint AppendX64(uint crc, ReadOnlySpan<byte> bytes)
    {
        while (bytes.Length >= 3 * Stretch)
        {
            var first = MemoryMarshal.Cast<byte, ulong>(bytes[..Stretch]);
            var second = MemoryMarshal.Cast<byte, ulong>(bytes.Slice(Stretch, Stretch))[..first.Length];
            var third = MemoryMarshal.Cast<byte, ulong>(bytes.Slice(2 * Stretch, Stretch))[..first.Length];
            ulong a = crc, b = 0, c = 0;
            for (var i = 0; i < first.Length; i++)
            {
                a = Sse42.X64.Crc32(a, first[i]);
                b = Sse42.X64.Crc32(b, second[i]);
                c = Sse42.X64.Crc32(c, third[i]);
            }

            crc = Shift(Shift((uint)a) ^ (uint)b) ^ (uint)c;
            bytes = bytes[(3 * Stretch)..];
        }

        ulong wide = crc;
        foreach (var value in MemoryMarshal.Cast<byte, ulong>(bytes))
        {
            wide = Sse42.X64.Crc32(wide, value);
        }

        crc = (uint)wide;
        foreach (var value in bytes[(bytes.Length & ~7)..])
        {
            crc = Sse42.Crc32(crc, value);
        }

        return crc;
    }

    // The register after a stretch of zero bytes.
    private static uint Shift(uint crc) =>
        ShiftTable[(byte)crc]
        ^ ShiftTable[256 + (byte)(crc >> 8)]
        ^ ShiftTable[512 + (byte)(crc >> 16)]
        ^ ShiftTable[768 + (byte)(crc >> 24)];

    private static uint[] BuildShiftTable()
    {
        var bits = new uint[32];
        var zeros = new byte[Stretch];
        for (var bit = 0; bit < bits.Length; bit++)
        {
            bits[bit] = AppendSoftware(1u << bit, zeros);
        }

        var table = new uint[4 * 256];
        for (var i = 0; i < table.Length; i++)
        {
            for (var bit = 0; bit < 8; bit++)
            {
                table[i] ^= ((i >> bit) & 1) != 0 ? bits[(i / 256 * 8) + bit] : 0;
            }
        }

        return table;
    }

    private static uint AppendArm64(uint crc, ReadOnlySpan<byte> bytes)
    {
        while (bytes.Length >= sizeof(ulong))
        {
            crc = Crc32.Arm64.ComputeCrc32C(crc, BinaryPrimitives.ReadUInt64LittleEndian(bytes));
            bytes = bytes[sizeof(ulong)..];
        }

        foreach (var value in bytes)
        {
            crc = Crc32.ComputeCrc32C(crc, value);
        }

        return crc;
    }

    private static uint[] BuildTable()
    {
        var table = new uint[256];
        for (var i = 0; i < table.Length; i++)
        {
            var value = (uint)i;
            for (var bit = 0; bit < 8; bit++)
            {
                value = (value & 1) != 0 ? (value >> 1) ^ ReflectedPolynomial : value >> 1;
            }

            table[i] = value;
        }

        return table;
    }
}
