using Parallax.Runtime.Execution;

namespace Parallax.Testing.Execution;

/// <summary>How a test cuts and runs a model.</summary>
internal sealed record ShardChainOptions
{
    public ResidualPrecision Residual { get; init; } = ResidualPrecision.BF16;

    /// <summary>Positions of KV room per KV group.</summary>
    public int KvTokens { get; init; } = 2048;

    /// <summary>Layers at which a new shard begins; none for the whole model.</summary>
    public int[] Cuts { get; init; } = [];

    /// <summary>Order in which physical blocks are handed out: 0 ascending, negative descending, else shuffled by this seed.</summary>
    public int BlockOrder { get; init; }

    /// <summary>Which positions' logits are computed; null for all.</summary>
    public Func<int, bool>? LogitsAt { get; init; }

    /// <summary>Receives logits instead of the session, for long texts.</summary>
    public Action<ChainSession, int, float[]>? LogitSink { get; init; }

    /// <summary>What a link does to the hidden states [rows * hidden] between two shards; null for nothing.</summary>
    public Action<float[]>? OnLink { get; init; }

    /// <summary>Wraps the backend of a shard of so many layers.</summary>
    public Func<IComputeBackend, int, IComputeBackend>? Decorate { get; init; }
}
