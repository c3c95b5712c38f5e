using Parallax.Contracts.Identifiers;
using Parallax.Runtime.Models;
using Parallax.Runtime.Weights;

namespace Parallax.Runtime.Execution;

/// <summary>
/// What a model's weights take on a backend, as <see cref="ModelShard.Load"/> would load them, from the files' headers
/// alone: no tensor is read.
/// </summary>
/// <exception cref="ModelFormatException">All members: a tensor is missing or wrong; names file and tensor.</exception>
public sealed class WeightSizes(ModelSpec spec, IWeightSource weights, IComputeBackend backend)
{
    /// <summary>The embedding table.</summary>
    public long Embedding => Matrix(spec.Embedding, spec.VocabularySize, spec.HiddenSize);

    /// <summary>The final norm and the LM head, also when the head is tied to the embedding.</summary>
    public long Head => Vector(spec.FinalNorm, spec.HiddenSize) + Matrix(spec.Head, spec.VocabularySize, spec.HiddenSize);

    /// <summary>
    /// A range of layers, with the embedding when it starts at 0 and the head when it ends at the last layer. Tied, both
    /// are one table only where a shard has both ends.
    /// </summary>
    public long Of(LayerRange range)
    {
        var bytes = Enumerable.Range(range.Start, range.Count).Sum(Layer);
        var first = range.Start == 0;
        var last = range.End == spec.Layers.Length;
        if (first)
        {
            bytes += Embedding;
        }

        if (last)
        {
            bytes += first && spec.Head == spec.Embedding ? Vector(spec.FinalNorm, spec.HiddenSize) : Head;
        }

        return bytes;
    }

    /// <summary>One layer.</summary>
    public long Layer(int index)
    {
        var layer = spec.Layers[index];
        var attention = layer.Attention;
        var hidden = spec.HiddenSize;
        var queryRows = attention.Heads * attention.HeadDim;
        var keyRows = attention.KvHeads * attention.HeadDim;
        return Vector(layer.AttentionNorm, hidden)
            + Matrix(attention.Query, queryRows, hidden)
            + Matrix(attention.Key, keyRows, hidden)
            + Matrix(attention.Value, keyRows, hidden)
            + Bias((attention.QueryBias, queryRows), (attention.KeyBias, keyRows), (attention.ValueBias, keyRows))
            + Bias((attention.QueryNorm, attention.HeadDim))
            + Bias((attention.KeyNorm, attention.HeadDim))
            + Matrix(attention.Output, hidden, queryRows)
            + Bias((attention.OutputBias, hidden))
            + Vector(layer.FeedForwardNorm, hidden)
            + layer.FeedForward switch
            {
                DenseFeedForwardSpec dense => Dense(dense, dense.IntermediateSize)
                    + Bias((dense.GateBias, dense.IntermediateSize), (dense.UpBias, dense.IntermediateSize))
                    + Bias((dense.DownBias, hidden)),
                MoeFeedForwardSpec moe => Matrix(moe.Router, moe.Experts.Length, hidden)
                    + moe.Experts.Sum(expert => Dense(expert, moe.IntermediateSize)),
                _ => throw new InvalidOperationException($"unknown feed-forward block {layer.FeedForward.GetType().Name}"),
            };
    }

    /// <summary>All experts of one layer, which are part of <see cref="Layer"/>; 0 in a dense layer.</summary>
    public long Experts(int index) =>
        spec.Layers[index].FeedForward is MoeFeedForwardSpec moe ? moe.Experts.Sum(expert => Dense(expert, moe.IntermediateSize)) : 0;

    private long Dense(DenseFeedForwardSpec dense, int intermediate) =>
        Matrix(dense.Gate, intermediate, spec.HiddenSize)
        + Matrix(dense.Up, intermediate, spec.HiddenSize)
        + Matrix(dense.Down, spec.HiddenSize, intermediate);

    private long Matrix(TensorRef reference, int rows, int columns) =>
        backend.MatrixBytes(weights.Open(reference, rows, columns).Format, rows, columns);

    private long Vector(TensorRef reference, int length)
    {
        weights.Open(reference, 1, length); // refuses what is missing
        return backend.VectorBytes(length);
    }

    /// <summary>One vector of several parts: if any is there, the others are zeros.</summary>
    private long Bias(params ReadOnlySpan<(TensorRef? Reference, int Length)> parts)
    {
        var bytes = 0L;
        var any = false;
        foreach (var (reference, length) in parts)
        {
            any |= reference is not null;
            bytes += backend.VectorBytes(length);
        }

        return any ? bytes : 0;
    }
}
