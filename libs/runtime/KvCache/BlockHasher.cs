using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using Parallax.Runtime.Execution;

namespace Parallax.Runtime.KvCache;

/// <summary>Hashes a full block's token ids, chained onto the hash of the block before it.</summary>
internal delegate UInt128 BlockHasher(UInt128 parent, ReadOnlySpan<int> tokenIds);

/// <summary>
/// The prefix cache's hashes: SHA-256, cut to 128 bits, little-endian fields; equal on every machine and after every
/// restart. A chain starts from the hash of everything but the token ids that a block's bits depend on.
/// </summary>
internal static class BlockHash
{
    private const string Version = "parallax-kv/1";

    /// <summary>Start of a chain: version, numeric class (which fixes the KV precision), tenant salt.</summary>
    public static UInt128 Root(NumericClass numericClass, string salt)
    {
        ArgumentNullException.ThrowIfNull(numericClass);
        ArgumentNullException.ThrowIfNull(salt);
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        AppendText(hash, Version);
        AppendText(hash, numericClass.WeightsHash);
        AppendText(hash, numericClass.Backend);
        AppendNumber(hash, numericClass.ArithmeticVersion);
        AppendNumber(hash, (int)numericClass.Residual);
        AppendNumber(hash, KvGroup.BlockTokens);
        if (numericClass.Links != LinkPrecision.Exact)
        {
            AppendText(hash, numericClass.Links.ToString());
        }

        AppendText(hash, salt);
        Span<byte> digest = stackalloc byte[SHA256.HashSizeInBytes];
        hash.GetHashAndReset(digest);
        return BinaryPrimitives.ReadUInt128LittleEndian(digest);
    }

    /// <summary>The next link of a chain.</summary>
    public static UInt128 Chain(UInt128 parent, ReadOnlySpan<int> tokenIds)
    {
        Span<byte> input = stackalloc byte[16 + (KvGroup.BlockTokens * sizeof(int))];
        BinaryPrimitives.WriteUInt128LittleEndian(input, parent);
        for (var i = 0; i < KvGroup.BlockTokens; i++)
        {
            BinaryPrimitives.WriteInt32LittleEndian(input[(16 + (i * sizeof(int)))..], tokenIds[i]);
        }

        Span<byte> digest = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(input, digest);
        return BinaryPrimitives.ReadUInt128LittleEndian(digest);
    }

    private static void AppendText(IncrementalHash hash, string text)
    {
        var bytes = Encoding.UTF8.GetBytes(text);
        AppendNumber(hash, bytes.Length);
        hash.AppendData(bytes);
    }

    private static void AppendNumber(IncrementalHash hash, int number)
    {
        Span<byte> bytes = stackalloc byte[sizeof(int)];
        BinaryPrimitives.WriteInt32LittleEndian(bytes, number);
        hash.AppendData(bytes);
    }
}
