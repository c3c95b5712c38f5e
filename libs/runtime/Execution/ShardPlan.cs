using Parallax.Contracts.Identifiers;
using Parallax.Runtime.Models;
using Parallax.Runtime.Weights;

namespace Parallax.Runtime.Execution;

/// <summary>What loading a range of layers comes to, known before any tensor is read.</summary>
public sealed record ShardPlan
{
    /// <summary>Hidden states that a stage keeps for its next hop at most, in bytes: 256 MiB.</summary>
    public const long MostJournalBytes = 256L << 20;

    /// <summary>The layers.</summary>
    public required LayerRange Range { get; init; }

    /// <summary>Greatest prompt + answer, in tokens.</summary>
    public required int ContextLimit { get; init; }

    /// <summary>Positions of KV room over all sessions.</summary>
    public required int KvTokens { get; init; }

    /// <summary>The weights.</summary>
    public required long WeightBytes { get; init; }

    /// <summary>The KV cache, once all of its blocks have been used.</summary>
    public required long KvBytes { get; init; }

    /// <summary>Hidden states kept for the next hop; 0 where the range ends in logits.</summary>
    public required long JournalBytes { get; init; }

    /// <summary>Hidden states kept beside the KV blocks; 0 where none are.</summary>
    public long OutputBytes { get; init; }

    /// <summary>Activations of the largest step, rotations, logits: an estimate, not a bound.</summary>
    public required long ScratchBytes { get; init; }

    /// <summary>All of it.</summary>
    public long TotalBytes => WeightBytes + KvBytes + JournalBytes + OutputBytes + ScratchBytes;

    /// <summary>Plans a range of a model.</summary>
    /// <param name="spec">The whole model.</param>
    /// <param name="weights">Its tensors; headers only are looked at.</param>
    /// <param name="backend">Says how it would store them.</param>
    /// <param name="options">Which range, and how; null limits get their defaults.</param>
    /// <exception cref="ModelFormatException">A tensor of the range is missing or wrong.</exception>
    public static ShardPlan Of(ModelSpec spec, IWeightSource weights, IComputeBackend backend, LocalEngineOptions options)
    {
        ArgumentNullException.ThrowIfNull(spec);
        ArgumentNullException.ThrowIfNull(backend);
        ArgumentNullException.ThrowIfNull(options);
        var whole = new LayerRange(0, spec.Layers.Length);
        var range = options.Range ?? whole;
        var context = options.ContextLimit ?? Math.Min(spec.MaxPositions, LocalEngineOptions.DefaultContext);
        var kvTokens = options.KvTokens ?? DefaultKvTokens(BlockBytes(whole), options, context);
        var elementBytes = options.Residual == ResidualPrecision.BF16 ? 2 : 4;
        return new ShardPlan
        {
            Range = range,
            ContextLimit = context,
            KvTokens = kvTokens,
            WeightBytes = new WeightSizes(spec, weights, backend).Of(range),
            KvBytes = (kvTokens + KvGroup.BlockTokens - 1L) / KvGroup.BlockTokens * BlockBytes(range),
            // Twice the positions that have KV: rows of ended sessions may still be held when others need room.
            JournalBytes = range.End == whole.End ? 0 : Math.Min(MostJournalBytes, 2L * kvTokens * spec.HiddenSize * elementBytes),
            OutputBytes = range.End == whole.End || !options.KeepOutputs || options.Links != LinkPrecision.Exact
                ? 0
                : (kvTokens + KvGroup.BlockTokens - 1L) / KvGroup.BlockTokens * KvGroup.BlockTokens * spec.HiddenSize * elementBytes,
            ScratchBytes = Scratch(spec, range, context, options.Executor),
        };

        long BlockBytes(LayerRange layers) => KvGroups.Of(spec, layers, backend, options.Residual).Sum(static group => group.BlockBytes);
    }

    private static int DefaultKvTokens(long blockBytes, LocalEngineOptions options, int context)
    {
        var affordable = LocalEngineOptions.DefaultKvBytes / blockBytes * KvGroup.BlockTokens;
        var wanted = (long)context * options.Executor.MaxBatch;
        return (int)Math.Max(context, Math.Min(wanted, affordable));
    }

    private static long Scratch(ModelSpec spec, LayerRange range, int context, ExecutorOptions limits)
    {
        var layers = spec.Layers.AsSpan(range.Start, range.Count).ToArray();
        var rowFloats = (4L * spec.HiddenSize) + layers.Max(layer => LayerFloats(layer, spec.HiddenSize));
        var rotations = layers.Select(static layer => layer.Attention.Rope).Distinct().Sum(rope => (long)context * rope.RotaryDim);
        // On the device and as the sampler reads them.
        var logits = range.End == spec.Layers.Length ? 2L * limits.MaxBatch * spec.VocabularySize : 0;
        return sizeof(float) * ((rowFloats * Math.Max(limits.TokenBudget, limits.MaxBatch)) + rotations + logits);
    }

    /// <summary>Elements of one row's activations within a layer.</summary>
    private static long LayerFloats(LayerSpec layer, int hidden)
    {
        var attention = layer.Attention;
        var heads = (long)attention.HeadDim * ((2 * attention.Heads) + (2 * attention.KvHeads));
        return heads + layer.FeedForward switch
        {
            DenseFeedForwardSpec dense => 3L * dense.IntermediateSize,
            MoeFeedForwardSpec moe => moe.Experts.Length + (moe.TopK * ((2L * hidden) + (3L * moe.IntermediateSize))),
            _ => 0,
        };
    }
}
