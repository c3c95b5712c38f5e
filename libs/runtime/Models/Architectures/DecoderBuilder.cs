using Parallax.Runtime.Weights;

namespace Parallax.Runtime.Models.Architectures;

/// <summary>Turns an architecture's outline into a model description with the checkpoint's tensor names.</summary>
internal static class DecoderBuilder
{
    /// <summary>Limits on what a configuration may make us allocate; the largest published models have 126 layers and 512 experts.</summary>
    private const int MaxLayers = 4096;
    private const long MaxExperts = 1 << 16;

    /// <param name="architecture">The architecture's name.</param>
    /// <param name="outline">What it states.</param>
    /// <param name="names">How the checkpoint names parameters.</param>
    /// <param name="tensors">The checkpoint's tensors.</param>
    /// <exception cref="ModelFormatException">The outline contradicts itself or exceeds what the checkpoint could hold.</exception>
    public static ModelSpec Build(string architecture, DecoderOutline outline, ITensorNames names, TensorTable tensors)
    {
        Check(outline, names, tensors);
        return new ModelSpec
        {
            Architecture = architecture,
            VocabularySize = outline.VocabularySize,
            HiddenSize = outline.HiddenSize,
            MaxPositions = outline.MaxPositions,
            NormEpsilon = outline.NormEpsilon,
            Embedding = names.Embedding,
            FinalNorm = names.FinalNorm,
            Head = outline.TiedHead ? names.Embedding : names.Head,
            Layers = [.. Enumerable.Range(0, outline.LayerCount).Select(layer => Layer(outline, names, layer))],
        };
    }

    private static LayerSpec Layer(DecoderOutline outline, ITensorNames names, int layer) => new(
        names.Layer(layer, LayerTensor.AttentionNorm),
        Attention(outline, names, layer),
        names.Layer(layer, LayerTensor.FeedForwardNorm),
        outline.Moe is { } moe && moe.IsSparse(layer) ? Sparse(moe, names, layer) : Dense(outline, names, layer));

    private static AttentionSpec Attention(DecoderOutline outline, ITensorNames names, int layer)
    {
        TensorRef? Optional(bool present, LayerTensor tensor, bool bias) => present ? names.Layer(layer, tensor, bias) : null;

        return new AttentionSpec
        {
            Heads = outline.Heads,
            KvHeads = outline.KvHeads,
            HeadDim = outline.HeadDim,
            Scale = (float)(1.0 / Math.Sqrt(outline.HeadDim)),
            Window = outline.Window(layer),
            Rope = outline.Rope,
            Query = names.Layer(layer, LayerTensor.Query),
            Key = names.Layer(layer, LayerTensor.Key),
            Value = names.Layer(layer, LayerTensor.Value),
            Output = names.Layer(layer, LayerTensor.Output),
            QueryBias = Optional(outline.QkvBias, LayerTensor.Query, bias: true),
            KeyBias = Optional(outline.QkvBias, LayerTensor.Key, bias: true),
            ValueBias = Optional(outline.QkvBias, LayerTensor.Value, bias: true),
            OutputBias = Optional(outline.OutputBias, LayerTensor.Output, bias: true),
            QueryNorm = Optional(outline.QkNorm, LayerTensor.QueryNorm, bias: false),
            KeyNorm = Optional(outline.QkNorm, LayerTensor.KeyNorm, bias: false),
        };
    }

    private static DenseFeedForwardSpec Dense(DecoderOutline outline, ITensorNames names, int layer)
    {
        TensorRef? Bias(LayerTensor tensor) => outline.FeedForwardBias ? names.Layer(layer, tensor, bias: true) : null;

        return new DenseFeedForwardSpec(
            outline.IntermediateSize,
            names.Layer(layer, LayerTensor.Gate),
            names.Layer(layer, LayerTensor.Up),
            names.Layer(layer, LayerTensor.Down))
        {
            GateBias = Bias(LayerTensor.Gate),
            UpBias = Bias(LayerTensor.Up),
            DownBias = Bias(LayerTensor.Down),
        };
    }

    private static MoeFeedForwardSpec Sparse(MoeOutline moe, ITensorNames names, int layer) => new()
    {
        IntermediateSize = moe.IntermediateSize,
        TopK = moe.TopK,
        NormalizeTopK = moe.NormalizeTopK,
        Router = names.Layer(layer, LayerTensor.Router),
        Experts =
        [
            .. Enumerable.Range(0, moe.Experts).Select(expert => new DenseFeedForwardSpec(
                moe.IntermediateSize,
                names.Expert(layer, expert, LayerTensor.Gate),
                names.Expert(layer, expert, LayerTensor.Up),
                names.Expert(layer, expert, LayerTensor.Down))),
        ],
    };

    /// <summary>A number of experts is believed only when the tensors that hold them all have it.</summary>
    private static void RefuseSmallStacks(DecoderOutline outline, MoeOutline moe, ITensorNames names, TensorTable tensors)
    {
        for (var layer = 0; names.StackedExperts && layer < outline.LayerCount; layer++)
        {
            var stack = names.Expert(layer, 0, LayerTensor.Gate).Name;
            if (moe.IsSparse(layer) && (!tensors.TryGet(stack, out var tensor) || tensor.Shape[0] != moe.Experts || tensor.ByteLength < moe.Experts))
            {
                throw new ModelFormatException(tensors.Location, $"has shape {tensor?.ShapeText ?? "none (missing)"}, expected a stack of {moe.Experts} experts", stack);
            }
        }
    }

    private static void Check(DecoderOutline outline, ITensorNames names, TensorTable tensors)
    {
        void Demand(bool holds, string problem)
        {
            if (!holds)
            {
                throw new ModelFormatException(tensors.Location, problem);
            }
        }

        // Counts are compared with the checkpoint before anything is built from them.
        Demand(
            outline.LayerCount <= Math.Min(MaxLayers, tensors.Tensors.Count),
            $"the configuration has {outline.LayerCount} layers, the checkpoint has {tensors.Tensors.Count} tensors (at most {MaxLayers} layers are supported)");
        Demand(outline.Heads % outline.KvHeads == 0, $"{outline.KvHeads} key/value heads do not divide {outline.Heads} attention heads");
        Demand((long)outline.Heads * outline.HeadDim <= int.MaxValue, $"{outline.Heads} heads of {outline.HeadDim} elements overflow");
        Demand(outline.Rope.RotaryDim <= outline.HeadDim, $"{outline.Rope.RotaryDim} rotary dimensions exceed the heads' {outline.HeadDim}");
        Demand(outline.Rope.RotaryDim % 2 == 0, $"{outline.Rope.RotaryDim} rotary dimensions are not even");
        if (outline.Moe is { } moe)
        {
            Demand(moe.TopK <= moe.Experts, $"{moe.TopK} experts per token exceed the {moe.Experts} experts");
            RefuseSmallStacks(outline, moe, names, tensors);
            Demand(
                names.StackedExperts || moe.Experts <= tensors.Tensors.Count / 3,
                $"the configuration has {moe.Experts} experts of 3 tensors each, the checkpoint has {tensors.Tensors.Count} tensors");
            Demand((long)moe.Experts * outline.LayerCount <= MaxExperts, $"{moe.Experts} experts in {outline.LayerCount} layers exceed the limit of {MaxExperts} in all");
        }
    }
}
