using System.Collections.Immutable;
using Parallax.Runtime.Execution;

namespace Parallax.Runtime.Blocks;

/// <summary>What the parts of one shard's blocks look like.</summary>
internal sealed class BlockLayout
{
    public BlockLayout(IModelShard shard)
    {
        Layers =
        [
            .. Enumerable.Range(shard.Range.Start, shard.Range.Count).Select(layer => new Layer(layer, GroupOf(shard, layer), shard.KvShape(layer))),
        ];
        Outputs = BlockPartShape.Outputs(shard.Spec.HiddenSize, shard.NumericClass.Residual);
        LargestPart = Math.Max(Outputs.Bytes, Layers.Max(static layer => layer.Shape.Bytes));
        KvBytes = Layers.Sum(static layer => (long)layer.Shape.Bytes);
    }

    /// <summary>The shard's layers in order.</summary>
    public ImmutableArray<Layer> Layers { get; }

    /// <summary>Shape of the outputs of its last layer.</summary>
    public BlockPartShape Outputs { get; }

    /// <summary>Bytes of the largest part.</summary>
    public int LargestPart { get; }

    /// <summary>Bytes of a block's keys and values, all layers.</summary>
    public long KvBytes { get; }

    private static int GroupOf(IModelShard shard, int layer)
    {
        for (var g = 0; g < shard.KvGroups.Length; g++)
        {
            if (shard.KvGroups[g].Layers.Contains(layer))
            {
                return g;
            }
        }

        throw new InvalidOperationException($"layer {layer} is in no KV group");
    }

    /// <summary>One layer.</summary>
    /// <param name="Index">Absolute index.</param>
    /// <param name="Group">Its KV group.</param>
    /// <param name="Shape">Of its keys and values.</param>
    internal readonly record struct Layer(int Index, int Group, BlockPartShape Shape);
}
