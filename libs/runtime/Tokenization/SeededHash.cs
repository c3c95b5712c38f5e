using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace Parallax.Runtime.Tokenization;

/// <summary>
/// Hashes with a seed drawn per process, so that a hostile vocabulary cannot be built to collide. Nothing that
/// leaves the process depends on their values.
/// </summary>
internal static class SeededHash
{
    private static readonly ulong Seed = Draw();

    public static ulong Of(ulong key)
    {
        var mixed = (key ^ (key >> 32)) * Seed;
        return mixed ^ (mixed >> 29);
    }

    public static ulong Of(ReadOnlySpan<byte> bytes)
    {
        var hash = (ulong)bytes.Length * Seed;
        while (bytes.Length >= sizeof(ulong))
        {
            hash = Mix(hash, MemoryMarshal.Read<ulong>(bytes));
            bytes = bytes[sizeof(ulong)..];
        }

        if (bytes.Length > 0)
        {
            Span<byte> rest = stackalloc byte[sizeof(ulong)];
            rest.Clear();
            bytes.CopyTo(rest);
            hash = Mix(hash, BinaryPrimitives.ReadUInt64LittleEndian(rest));
        }

        return hash;
    }

    private static ulong Mix(ulong hash, ulong word)
    {
        var mixed = (hash ^ word) * Seed;
        return mixed ^ (mixed >> 32);
    }

    private static ulong Draw()
    {
        Span<byte> bytes = stackalloc byte[sizeof(ulong)];
        RandomNumberGenerator.Fill(bytes);
        return BinaryPrimitives.ReadUInt64LittleEndian(bytes) | 1;
    }
}
