namespace Parallax.Runtime.Models.Architectures;

/// <summary>
/// What an architecture states about a decoder made of the shared building blocks; <see cref="DecoderBuilder"/> turns
/// it into a <see cref="ModelSpec"/> with the checkpoint's tensor names.
/// </summary>
internal sealed record DecoderOutline
{
    public required int VocabularySize { get; init; }

    public required int HiddenSize { get; init; }

    public required int LayerCount { get; init; }

    public required int MaxPositions { get; init; }

    public required float NormEpsilon { get; init; }

    /// <summary>Whether the LM head is the embedding.</summary>
    public required bool TiedHead { get; init; }

    public required int Heads { get; init; }

    public required int KvHeads { get; init; }

    public required int HeadDim { get; init; }

    public required RopeSpec Rope { get; init; }

    /// <summary>The attention window of a layer; null for full attention.</summary>
    public Func<int, int?> Window { get; init; } = static _ => null;

    /// <summary>Whether the query, key and value projections have a bias.</summary>
    public bool QkvBias { get; init; }

    /// <summary>Whether the output projection has a bias.</summary>
    public bool OutputBias { get; init; }

    /// <summary>Whether each head of queries and keys is normed before rotation.</summary>
    public bool QkNorm { get; init; }

    /// <summary>Rows of gate and up of a dense layer.</summary>
    public required int IntermediateSize { get; init; }

    /// <summary>Whether dense feed-forward projections have a bias.</summary>
    public bool FeedForwardBias { get; init; }

    /// <summary>The mixture of experts of sparse layers; null when every layer is dense.</summary>
    public MoeOutline? Moe { get; init; }
}

/// <summary>The mixture of experts of a decoder's sparse layers.</summary>
/// <param name="Experts">Experts per sparse layer.</param>
/// <param name="TopK">Experts used per token.</param>
/// <param name="IntermediateSize">Rows of each expert's gate and up.</param>
/// <param name="NormalizeTopK">Whether the chosen experts' weights are divided by their sum.</param>
/// <param name="IsSparse">Which layers are sparse.</param>
internal sealed record MoeOutline(int Experts, int TopK, int IntermediateSize, bool NormalizeTopK, Func<int, bool> IsSparse);
