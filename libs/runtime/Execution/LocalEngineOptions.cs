namespace Parallax.Runtime.Execution;

/// <summary>How a whole model is served from one process on the CPU.</summary>
public sealed record LocalEngineOptions
{
    /// <summary>The model: a folder or a .gguf file.</summary>
    public required string ModelPath { get; init; }

    /// <summary>Greatest prompt + answer in tokens; null takes the model's own, at most <see cref="DefaultContext"/>.</summary>
    public int? ContextLimit { get; init; }

    /// <summary>Compute threads; null takes one per processor.</summary>
    public int? Threads { get; init; }

    /// <summary>
    /// Positions of KV room over all sessions; null takes room for every session of a batch, within
    /// <see cref="DefaultKvBytes"/> but at least one session's context.
    /// </summary>
    public int? KvTokens { get; init; }

    /// <summary>Residual precision of the numeric class.</summary>
    public ResidualPrecision Residual { get; init; } = ResidualPrecision.BF16;

    /// <summary>Limits of the executor; its context limit is overwritten by <see cref="ContextLimit"/>.</summary>
    public ExecutorOptions Executor { get; init; } = new();

    /// <summary>Context when none is asked for: 4,096 tokens.</summary>
    public const int DefaultContext = 4096;

    /// <summary>KV memory when no size is asked for: 128 MiB.</summary>
    public const long DefaultKvBytes = 128L << 20;
}
