using System.Collections.Immutable;

namespace Parallax.Runtime.Models;

/// <summary>
/// A decoder-only transformer in terms of shared building blocks: what to compute, with which tensors.
/// An architecture file turns a checkpoint's configuration into one of these; backends run it.
/// </summary>
public sealed record ModelSpec
{
    /// <summary>The architecture's name, e.g. <c>qwen3_moe</c>.</summary>
    public required string Architecture { get; init; }

    /// <summary>Rows of the embedding and of the LM head.</summary>
    public required int VocabularySize { get; init; }

    /// <summary>Width of the residual stream.</summary>
    public required int HiddenSize { get; init; }

    /// <summary>The longest context the model was made for, in tokens.</summary>
    public required int MaxPositions { get; init; }

    /// <summary>Epsilon of every RMS norm.</summary>
    public required float NormEpsilon { get; init; }

    /// <summary>The embedding table [vocabulary, hidden].</summary>
    public required TensorRef Embedding { get; init; }

    /// <summary>The norm before the LM head [hidden].</summary>
    public required TensorRef FinalNorm { get; init; }

    /// <summary>The LM head [vocabulary, hidden]; equals <see cref="Embedding"/> when the two are tied.</summary>
    public required TensorRef Head { get; init; }

    /// <summary>The decoder layers in order.</summary>
    public required ImmutableArray<LayerSpec> Layers { get; init; }
}

/// <summary>One pre-norm decoder layer: x += attention(norm(x)); x += feedForward(norm(x)).</summary>
/// <param name="AttentionNorm">RMS norm before attention [hidden].</param>
/// <param name="Attention">The attention block.</param>
/// <param name="FeedForwardNorm">RMS norm before the feed-forward block [hidden].</param>
/// <param name="FeedForward">The feed-forward block.</param>
public sealed record LayerSpec(
    TensorRef AttentionNorm,
    AttentionSpec Attention,
    TensorRef FeedForwardNorm,
    FeedForwardSpec FeedForward);

/// <summary>Grouped-query attention with rotary positions.</summary>
public sealed record AttentionSpec
{
    /// <summary>Query heads; a multiple of <see cref="KvHeads"/>.</summary>
    public required int Heads { get; init; }

    /// <summary>Key/value heads.</summary>
    public required int KvHeads { get; init; }

    /// <summary>Elements per head.</summary>
    public required int HeadDim { get; init; }

    /// <summary>Factor on q.k before the softmax.</summary>
    public required float Scale { get; init; }

    /// <summary>Position p attends to (p - Window, p]; null attends to all of [0, p].</summary>
    public int? Window { get; init; }

    /// <summary>How positions rotate queries and keys.</summary>
    public required RopeSpec Rope { get; init; }

    /// <summary>Query projection [heads * headDim, hidden].</summary>
    public required TensorRef Query { get; init; }

    /// <summary>Key projection [kvHeads * headDim, hidden].</summary>
    public required TensorRef Key { get; init; }

    /// <summary>Value projection [kvHeads * headDim, hidden].</summary>
    public required TensorRef Value { get; init; }

    /// <summary>Output projection [hidden, heads * headDim].</summary>
    public required TensorRef Output { get; init; }

    public TensorRef? QueryBias { get; init; }

    public TensorRef? KeyBias { get; init; }

    public TensorRef? ValueBias { get; init; }

    public TensorRef? OutputBias { get; init; }

    /// <summary>RMS norm of each query head before rotation [headDim]; null for none.</summary>
    public TensorRef? QueryNorm { get; init; }

    /// <summary>RMS norm of each key head before rotation [headDim]; null for none.</summary>
    public TensorRef? KeyNorm { get; init; }
}

/// <summary>How rotary pairs are laid out within a head.</summary>
public enum RopeLayout
{
    /// <summary>Element i is paired with i + rotaryDim/2 (Hugging Face, "NEOX").</summary>
    Halves,

    /// <summary>Element 2i is paired with 2i + 1 (original Llama, GGUF files of Llama kind).</summary>
    Interleaved,
}

/// <summary>
/// Rotary position embedding: pair i turns by position * theta^(-2i/rotaryDim), scaled as the fields say.
/// </summary>
public sealed record RopeSpec
{
    /// <summary>How pairs are laid out.</summary>
    public required RopeLayout Layout { get; init; }

    /// <summary>Base frequency (theta).</summary>
    public required double Theta { get; init; }

    /// <summary>Leading elements of a head that rotate; even, at most headDim.</summary>
    public required int RotaryDim { get; init; }

    /// <summary>Llama 3's frequency scaling; null for none.</summary>
    public Llama3RopeScaling? Llama3Scaling { get; init; }

    /// <summary>All frequencies are divided by this (linear position interpolation); 1 for none.</summary>
    public double LinearFactor { get; init; } = 1.0;

    /// <summary>Explicit per-pair divisors from the checkpoint (GGUF <c>rope_freqs.weight</c>), [rotaryDim / 2]; default for none.</summary>
    public ImmutableArray<float> FrequencyDivisors { get; init; }
}

/// <summary>The <c>llama3</c> rope scaling (Llama 3.1 model card, <c>rope_scaling</c> of its config.json).</summary>
public sealed record Llama3RopeScaling(double Factor, double LowFrequencyFactor, double HighFrequencyFactor, int OriginalMaxPositions);

/// <summary>A feed-forward block.</summary>
public abstract record FeedForwardSpec;

/// <summary>SwiGLU: down(silu(gate(x)) * up(x)).</summary>
/// <param name="IntermediateSize">Rows of gate and up.</param>
/// <param name="Gate">[intermediate, hidden].</param>
/// <param name="Up">[intermediate, hidden].</param>
/// <param name="Down">[hidden, intermediate].</param>
public sealed record DenseFeedForwardSpec(int IntermediateSize, TensorRef Gate, TensorRef Up, TensorRef Down) : FeedForwardSpec
{
    public TensorRef? GateBias { get; init; }

    public TensorRef? UpBias { get; init; }

    public TensorRef? DownBias { get; init; }
}

/// <summary>
/// Mixture of SwiGLU experts: softmax over the router's logits, the <see cref="TopK"/> largest (ties to the lower
/// expert id), weights renormalised when <see cref="NormalizeTopK"/>; outputs summed in expert-id order.
/// </summary>
public sealed record MoeFeedForwardSpec : FeedForwardSpec
{
    /// <summary>Rows of each expert's gate and up.</summary>
    public required int IntermediateSize { get; init; }

    /// <summary>Experts used per token.</summary>
    public required int TopK { get; init; }

    /// <summary>Whether the chosen experts' weights are divided by their sum.</summary>
    public required bool NormalizeTopK { get; init; }

    /// <summary>The router [experts, hidden].</summary>
    public required TensorRef Router { get; init; }

    /// <summary>The experts in id order.</summary>
    public required ImmutableArray<DenseFeedForwardSpec> Experts { get; init; }
}
