using System.Collections.Immutable;

namespace Parallax.Placement;

/// <summary>A model as placement sees it: sizes and work, no weights.</summary>
/// <param name="Name">The name that requests give.</param>
/// <param name="WeightsHash">Hex; two trainings of one name differ here.</param>
/// <param name="Layers">Decoder layers from the first to the last.</param>
/// <param name="EmbeddingBytes">Of the input embedding.</param>
/// <param name="HeadBytes">Of the final norm and LM head.</param>
/// <param name="IsTied">Whether a node with both ends holds the embedding once for both.</param>
/// <param name="HeadFlops">Of the LM head, per token.</param>
/// <param name="HiddenBytes">Of one position's hidden state on a link.</param>
public sealed record ModelShape(
    string Name,
    string WeightsHash,
    ImmutableArray<LayerShape> Layers,
    long EmbeddingBytes,
    long HeadBytes,
    bool IsTied,
    double HeadFlops,
    long HiddenBytes)
{
    /// <summary>Which description of the model's files is to be trusted when they are fetched; empty: none in particular.</summary>
    public string ManifestHash { get; init; } = "";

    /// <summary>Bytes that any stage needs beside weights and KV.</summary>
    public long ScratchBytes { get; init; }

    /// <summary>Greatest prompt + answer of the model itself, in tokens.</summary>
    public int ContextLimit { get; init; } = int.MaxValue;
}

/// <summary>One decoder layer.</summary>
/// <param name="WeightBytes">All weights, experts included.</param>
/// <param name="KvBytesPerToken">KV of one position.</param>
/// <param name="Flops">Per token, without attention over the context; of the experts only those that a token takes.</param>
public sealed record LayerShape(long WeightBytes, long KvBytesPerToken, double Flops)
{
    /// <summary>KV positions at most; null where attention sees everything.</summary>
    public int? Window { get; init; }

    /// <summary>Attention's work per token and position of context.</summary>
    public double FlopsPerContextToken { get; init; }

    /// <summary>The mixture of experts; null in a dense layer.</summary>
    public ExpertShape? Experts { get; init; }
}

/// <summary>A layer's mixture of experts.</summary>
/// <param name="Count">Experts.</param>
/// <param name="PerToken">Of which a token takes so many.</param>
/// <param name="BytesEach">Weights of one.</param>
public sealed record ExpertShape(int Count, int PerToken, long BytesEach);
