using System.Security.Cryptography;
using Parallax.ModelFiles.Manifests;

namespace Parallax.ModelFiles.Storage;

/// <summary>
/// The small file that says which chunks of a fetched model are there: the manifest's SHA-256, a bit per chunk, and the
/// SHA-256 of both.
/// </summary>
internal static class ChunkRecord
{
    /// <summary>The file's contents.</summary>
    public static byte[] Write(ModelManifest manifest, ChunkSet chunks)
    {
        byte[] body = [.. Convert.FromHexString(manifest.Hash), .. chunks.ToArray()];
        return [.. body, .. SHA256.HashData(body)];
    }

    /// <summary>The chunks of that manifest; null when the file is damaged or another manifest's.</summary>
    public static ChunkSet? TryRead(ReadOnlySpan<byte> contents, ModelManifest manifest)
    {
        const int hash = SHA256.HashSizeInBytes;
        if (contents.Length < 2 * hash)
        {
            return null;
        }

        var body = contents[..^hash];
        return SHA256.HashData(body).AsSpan().SequenceEqual(contents[^hash..]) && body[..hash].SequenceEqual(Convert.FromHexString(manifest.Hash))
            ? ChunkSet.TryRead(body[hash..], manifest.ChunkCount)
            : null;
    }
}
