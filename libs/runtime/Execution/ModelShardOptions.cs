using Parallax.Contracts.Identifiers;

namespace Parallax.Runtime.Execution;

/// <summary>Which part of a model to load, and how.</summary>
public sealed record ModelShardOptions
{
    /// <summary>Decoder layers to hold; null for all.</summary>
    public LayerRange? Range { get; init; }

    /// <summary>Whether to hold the embedding; null means when the range starts at layer 0.</summary>
    public bool? Embedding { get; init; }

    /// <summary>Whether to hold the final norm and LM head; null means when the range ends at the last layer.</summary>
    public bool? Head { get; init; }

    /// <summary>Residual precision of the numeric class.</summary>
    public ResidualPrecision Residual { get; init; } = ResidualPrecision.BF16;

    /// <summary>Precision on the links of the numeric class; a whole model has none and is always exact.</summary>
    public LinkPrecision Links { get; init; }

    /// <summary>Positions of KV room, over all sessions; rounded up to whole blocks.</summary>
    public required int KvTokens { get; init; }

    /// <summary>Hash of the model's weights, for the numeric class.</summary>
    public required string WeightsHash { get; init; }
}
