using Parallax.Runtime.Models;

namespace Parallax.Testing.Models;

/// <summary>The shape that every parameter of a description must have, stated independently of the code that loads them.</summary>
public static class ModelShapes
{
    /// <summary>Every parameter with its rows and columns (a vector has one row).</summary>
    public static IEnumerable<(TensorRef Tensor, int Rows, int Columns)> Of(ModelSpec spec)
    {
        yield return (spec.Embedding, spec.VocabularySize, spec.HiddenSize);
        foreach (var shape in spec.Layers.SelectMany(layer => Layer(layer, spec.HiddenSize)))
        {
            yield return shape;
        }

        yield return (spec.FinalNorm, 1, spec.HiddenSize);
        yield return (spec.Head, spec.VocabularySize, spec.HiddenSize);
    }

    private static IEnumerable<(TensorRef Tensor, int Rows, int Columns)> Layer(LayerSpec layer, int hidden)
    {
        var attention = layer.Attention;
        var queries = attention.Heads * attention.HeadDim;
        var keys = attention.KvHeads * attention.HeadDim;
        (TensorRef?, int, int)[] all =
        [
            (layer.AttentionNorm, 1, hidden),
            (attention.Query, queries, hidden),
            (attention.Key, keys, hidden),
            (attention.Value, keys, hidden),
            (attention.Output, hidden, queries),
            (attention.QueryBias, 1, queries),
            (attention.KeyBias, 1, keys),
            (attention.ValueBias, 1, keys),
            (attention.OutputBias, 1, hidden),
            (attention.QueryNorm, 1, attention.HeadDim),
            (attention.KeyNorm, 1, attention.HeadDim),
            (layer.FeedForwardNorm, 1, hidden),
        ];
        return all
            .Where(entry => entry.Item1 is not null)
            .Select(entry => (entry.Item1!.Value, entry.Item2, entry.Item3))
            .Concat(FeedForward(layer.FeedForward, hidden));
    }

    private static IEnumerable<(TensorRef Tensor, int Rows, int Columns)> FeedForward(FeedForwardSpec block, int hidden)
    {
        if (block is MoeFeedForwardSpec moe)
        {
            return moe.Experts.SelectMany(expert => FeedForward(expert, hidden)).Prepend((moe.Router, moe.Experts.Length, hidden));
        }

        var dense = (DenseFeedForwardSpec)block;
        (TensorRef?, int, int)[] all =
        [
            (dense.Gate, dense.IntermediateSize, hidden),
            (dense.Up, dense.IntermediateSize, hidden),
            (dense.Down, hidden, dense.IntermediateSize),
            (dense.GateBias, 1, dense.IntermediateSize),
            (dense.UpBias, 1, dense.IntermediateSize),
            (dense.DownBias, 1, hidden),
        ];
        return all.Where(entry => entry.Item1 is not null).Select(entry => (entry.Item1!.Value, entry.Item2, entry.Item3));
    }
}
