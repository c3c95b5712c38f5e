using System.Collections.Immutable;

namespace Parallax.ModelFiles.Manifests;

/// <summary>Which bytes are needed for what.</summary>
/// <param name="Always">What opening the model reads.</param>
/// <param name="Embedding">The input embedding.</param>
/// <param name="Head">Final norm and LM head.</param>
/// <param name="Layers">Each decoder layer.</param>
internal sealed record ManifestSections(
    ImmutableArray<FileSpan> Always, ImmutableArray<FileSpan> Embedding, ImmutableArray<FileSpan> Head, ImmutableArray<ImmutableArray<FileSpan>> Layers);
