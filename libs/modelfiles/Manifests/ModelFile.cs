namespace Parallax.ModelFiles.Manifests;

/// <summary>A file of a model as its manifest lists it.</summary>
/// <param name="Name">A plain name; <c>model.gguf</c> for a GGUF file, whatever it is called on disk.</param>
/// <param name="Length">Bytes; at least 1.</param>
/// <param name="FirstChunk">Its first chunk among the manifest's.</param>
/// <param name="ChunkCount">How many chunks it has.</param>
public sealed record ModelFile(string Name, long Length, int FirstChunk, int ChunkCount);
