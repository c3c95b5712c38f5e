using System.Buffers.Binary;
using System.Security.Cryptography;
using Google.Protobuf;
using Parallax.Contracts.V1;

namespace Parallax.Contracts.Identifiers;

/// <summary>What a session generates, as a hash that routers and workers agree on.</summary>
public static class SessionContent
{
    private const int IdsAtOnce = 256;

    /// <summary>SHA-256 of the prompt's length and ids, four bytes each, least significant first, and of the sampling's wire form.</summary>
    public static byte[] HashOf(IReadOnlyList<int> prompt, Sampling? sampling)
    {
        ArgumentNullException.ThrowIfNull(prompt);
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        Span<byte> bytes = stackalloc byte[IdsAtOnce * sizeof(int)];
        BinaryPrimitives.WriteInt32LittleEndian(bytes, prompt.Count);
        hash.AppendData(bytes[..sizeof(int)]);
        for (var from = 0; from < prompt.Count; from += IdsAtOnce)
        {
            var count = Math.Min(IdsAtOnce, prompt.Count - from);
            for (var i = 0; i < count; i++)
            {
                BinaryPrimitives.WriteInt32LittleEndian(bytes[(i * sizeof(int))..], prompt[from + i]);
            }

            hash.AppendData(bytes[..(count * sizeof(int))]);
        }

        hash.AppendData((sampling ?? new Sampling()).ToByteArray());
        return hash.GetHashAndReset();
    }
}
