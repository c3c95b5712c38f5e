using Parallax.Contracts.Identifiers;

namespace Parallax.Runtime.Execution;

/// <summary>How a model, or a range of its layers, is loaded onto this machine's CPU and served.</summary>
public sealed record LocalEngineOptions
{
    /// <summary>The model: a folder or a .gguf file.</summary>
    public required string ModelPath { get; init; }

    /// <summary>The layers; null for all, which is all that a <see cref="LocalEngine"/> can serve.</summary>
    public LayerRange? Range { get; init; }

    /// <summary>Greatest prompt + answer in tokens; null takes the model's own, at most <see cref="DefaultContext"/>.</summary>
    public int? ContextLimit { get; init; }

    /// <summary>Compute threads; null takes one per processor.</summary>
    public int? Threads { get; init; }

    /// <summary>
    /// Positions of KV room over all sessions; null takes room for every session of a batch, within
    /// <see cref="DefaultKvBytes"/> of the whole model but at least one session's context: as many for a range as for all
    /// layers, so that the stages of a path agree.
    /// </summary>
    public int? KvTokens { get; init; }

    /// <summary>Residual precision of the numeric class.</summary>
    public ResidualPrecision Residual { get; init; } = ResidualPrecision.BF16;

    /// <summary>Precision on links to other stages.</summary>
    public LinkPrecision Links { get; init; }

    /// <summary>Whether a stage keeps the hidden states that leave it beside its KV blocks; counted in <see cref="ShardPlan.OutputBytes"/>.</summary>
    public bool KeepOutputs { get; init; }

    /// <summary>The weights' hash where the caller has computed it; null computes it, which reads the model's files.</summary>
    public string? WeightsHash { get; init; }

    /// <summary>
    /// How long made-up steps are computed before the layers are served, but for the fewest that it takes (<see cref="ShardWarmUp"/>).
    /// Default 150 ms.
    /// </summary>
    public TimeSpan WarmUpTime { get; init; } = TimeSpan.FromMilliseconds(150);

    /// <summary>Limits of the executor; its context limit is overwritten by <see cref="ContextLimit"/>.</summary>
    public ExecutorOptions Executor { get; init; } = new();

    /// <summary>Context when none is asked for: 4,096 tokens.</summary>
    public const int DefaultContext = 4096;

    /// <summary>KV memory when no size is asked for: 128 MiB.</summary>
    public const long DefaultKvBytes = 128L << 20;
}
