using Parallax.ModelFiles.Manifests;

namespace Parallax.ModelFiles.Storage;

/// <summary>A model on this machine whose chunks can be read, whole or in part. Thread-safe.</summary>
internal interface IChunkSource
{
    /// <summary>The model's name here.</summary>
    string Name { get; }

    /// <summary>Its folder or .gguf file.</summary>
    string Path { get; }

    /// <summary>Its files.</summary>
    ModelManifest Manifest { get; }

    /// <summary>The chunks that are here; the caller's own set.</summary>
    ChunkSet Held();

    /// <summary>Reads a chunk that is here.</summary>
    /// <param name="chunk">Which.</param>
    /// <param name="buffer">Receives it; exactly the chunk's length.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="IOException">The file cannot be read or is shorter than it was.</exception>
    ValueTask ReadAsync(int chunk, Memory<byte> buffer, CancellationToken cancellationToken);
}
