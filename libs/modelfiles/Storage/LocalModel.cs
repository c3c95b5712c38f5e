using System.Collections.Immutable;
using Parallax.ModelFiles.Manifests;

namespace Parallax.ModelFiles.Storage;

/// <summary>A model that a user has put on this machine; it is only read.</summary>
internal sealed class LocalModel(string name, string path, ModelManifest manifest, ImmutableArray<string> files) : IChunkSource, IDisposable
{
    private readonly ChunkFiles _files = new(manifest, files, writable: false);

    public string Name => name;

    public string Path => path;

    public ModelManifest Manifest => manifest;

    public ChunkSet Held() => ChunkSet.Full(manifest.ChunkCount);

    public ValueTask ReadAsync(int chunk, Memory<byte> buffer, CancellationToken cancellationToken) => _files.ReadAsync(chunk, buffer, cancellationToken);

    public void Dispose() => _files.Dispose();
}
