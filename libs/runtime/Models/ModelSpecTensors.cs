namespace Parallax.Runtime.Models;

/// <summary>Lists the parameters that a description names.</summary>
public static class ModelSpecTensors
{
    /// <summary>Every parameter of the model, each once per use, embedding first.</summary>
    public static IEnumerable<TensorRef> TensorRefs(this ModelSpec spec)
    {
        ArgumentNullException.ThrowIfNull(spec);
        return [spec.Embedding, .. spec.Layers.SelectMany(TensorRefs), spec.FinalNorm, spec.Head];
    }

    /// <summary>Every parameter of the layer.</summary>
    public static IEnumerable<TensorRef> TensorRefs(this LayerSpec layer)
    {
        ArgumentNullException.ThrowIfNull(layer);
        var attention = layer.Attention;
        TensorRef?[] all =
        [
            layer.AttentionNorm, attention.Query, attention.Key, attention.Value, attention.Output, attention.QueryBias,
            attention.KeyBias, attention.ValueBias, attention.OutputBias, attention.QueryNorm, attention.KeyNorm, layer.FeedForwardNorm,
        ];
        return all.OfType<TensorRef>().Concat(TensorRefs(layer.FeedForward));
    }

    private static IEnumerable<TensorRef> TensorRefs(FeedForwardSpec feedForward) => feedForward switch
    {
        DenseFeedForwardSpec dense => ((TensorRef?[])[dense.Gate, dense.Up, dense.Down, dense.GateBias, dense.UpBias, dense.DownBias]).OfType<TensorRef>(),
        MoeFeedForwardSpec moe => moe.Experts.SelectMany(TensorRefs).Prepend(moe.Router),
        _ => throw new ArgumentOutOfRangeException(nameof(feedForward), feedForward.GetType().Name, "unknown feed-forward block"),
    };
}
