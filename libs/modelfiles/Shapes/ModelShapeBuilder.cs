using Parallax.Contracts.Identifiers;
using Parallax.Contracts.V1;
using Parallax.Runtime.Execution;
using Parallax.Runtime.Models;

namespace Parallax.ModelFiles.Shapes;

/// <summary>Makes what placement must know of a model that is at hand: exact sizes, from the files' headers alone.</summary>
public static class ModelShapeBuilder
{
    /// <summary>
    /// The shape. For every range of layers, the sum of its layers' weights, the embedding where it starts at 0 and the
    /// head where it ends at the last layer (tied and both: less one embedding) is what <see cref="ShardPlan"/> plans; KV
    /// likewise for positions in whole blocks of 16; and scratch bounds what it plans for journal and scratch.
    /// </summary>
    /// <param name="model">The model; no tensor is read.</param>
    /// <param name="weightsHash">Its weights hash.</param>
    /// <param name="manifestHash">The hash of its manifest; empty where none is to be trusted in particular.</param>
    /// <param name="backend">Says how weights and KV are stored.</param>
    /// <param name="options">How it will be served: residual precision, context, KV room, batch. The range is not looked at.</param>
    public static ModelShape Build(ModelSource model, string weightsHash, string manifestHash, IComputeBackend backend, LocalEngineOptions options)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(backend);
        ArgumentNullException.ThrowIfNull(options);
        var spec = model.Spec;
        var sizes = new WeightSizes(spec, model.Weights, backend);
        var shape = new ModelShape
        {
            Name = model.DisplayName,
            WeightsHash = weightsHash,
            ManifestHash = manifestHash,
            EmbeddingBytes = sizes.Embedding,
            HeadBytes = sizes.Head,
            Tied = spec.Head == spec.Embedding,
            HeadFlops = Multiply(spec.VocabularySize, spec.HiddenSize),
            HiddenBytes = (long)spec.HiddenSize * (options.Residual == ResidualPrecision.BF16 ? 2 : 4),
            ContextLimit = spec.MaxPositions,
            ScratchBytes = Scratch(model, backend, options),
            CanChat = model.ChatTemplate is not null,
        };
        shape.Layers.AddRange(Enumerable.Range(0, spec.Layers.Length).Select(index => LayerOf(spec, index, sizes, backend, options.Residual)));
        return shape;
    }

    private static LayerShape LayerOf(ModelSpec spec, int index, WeightSizes sizes, IComputeBackend backend, ResidualPrecision residual)
    {
        var layer = spec.Layers[index];
        var moe = layer.FeedForward as MoeFeedForwardSpec;
        return new LayerShape
        {
            WeightBytes = sizes.Layer(index),
            KvBytesPerToken = backend.KvBlockBytes(layer.Attention, residual) / KvGroup.BlockTokens,
            Window = layer.Attention.Window ?? 0,
            Flops = Flops(spec.HiddenSize, layer),
            FlopsPerContextToken = 4.0 * layer.Attention.Heads * layer.Attention.HeadDim, // scores and their sum
            Experts = moe?.Experts.Length ?? 0,
            ExpertsPerToken = moe?.TopK ?? 0,
            ExpertBytes = moe is null ? 0 : sizes.Experts(index) / moe.Experts.Length,
        };
    }

    /// <summary>Of the matrices that one token meets.</summary>
    private static double Flops(int hidden, LayerSpec layer)
    {
        var attention = layer.Attention;
        var heads = (2.0 * attention.Heads) + (2.0 * attention.KvHeads); // query and output; key and value
        return Multiply(heads * attention.HeadDim, hidden) + layer.FeedForward switch
        {
            DenseFeedForwardSpec dense => 3 * Multiply(dense.IntermediateSize, hidden),
            MoeFeedForwardSpec moe => Multiply(moe.Experts.Length, hidden) + (moe.TopK * 3 * Multiply(moe.IntermediateSize, hidden)),
            _ => throw new InvalidOperationException($"unknown feed-forward block {layer.FeedForward.GetType().Name}"),
        };
    }

    private static double Multiply(double rows, double columns) => 2 * rows * columns;

    /// <summary>What no stage exceeds: the scratch of a stage with all layers and the head, and the journal of one without.</summary>
    private static long Scratch(ModelSource model, IComputeBackend backend, LocalEngineOptions options)
    {
        var layers = model.Spec.Layers.Length;
        var whole = ShardPlan.Of(model.Spec, model.Weights, backend, options with { Range = null });
        if (layers == 1)
        {
            return whole.ScratchBytes;
        }

        var part = ShardPlan.Of(model.Spec, model.Weights, backend, options with { Range = new LayerRange(0, 1) });
        return whole.ScratchBytes + part.JournalBytes + part.OutputBytes;
    }
}
