using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace Parallax.Audit.Chain;

/// <summary>
/// Hashes of contents. With a key (HMAC-SHA-256) nobody without it can guess a content and try it: a token id has only some
/// 50,000 values, and a plain hash of one would hide nothing.
/// </summary>
public static class ContentHash
{
    /// <summary>Bytes of a key.</summary>
    public const int KeyBytes = 32;

    /// <summary>Of token ids, each as four bytes, little-endian: lower-case hex.</summary>
    /// <param name="ids">The ids.</param>
    /// <param name="key">The key; empty for a plain SHA-256.</param>
    public static string Of(ReadOnlySpan<int> ids, ReadOnlySpan<byte> key)
    {
        var bytes = MemoryMarshal.AsBytes(ids); // every machine that .NET runs on is little-endian
        return Convert.ToHexStringLower(key.IsEmpty ? SHA256.HashData(bytes) : HMACSHA256.HashData(key, bytes));
    }

    /// <summary>The id by which events name a key: says nothing of it.</summary>
    public static string KeyId(ReadOnlySpan<byte> key) => Convert.ToHexStringLower(HMACSHA256.HashData(key, "parallax/audit/key/1"u8))[..16];
}
