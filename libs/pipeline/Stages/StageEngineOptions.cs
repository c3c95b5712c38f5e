using Parallax.Runtime.Execution;

namespace Parallax.Pipeline.Stages;

/// <summary>Limits of a <see cref="StageEngine"/>.</summary>
public sealed record StageEngineOptions
{
    /// <summary>Limits that a stage shares with an engine of a whole model.</summary>
    public ExecutorOptions Executor { get; init; } = new();

    /// <summary>Bytes of hidden states that all sessions together keep for their next hops. Default 256 MiB.</summary>
    public long JournalBytes { get; init; } = 256L << 20;

    /// <summary>Rows of one session that may be on their way to the next hop, unacknowledged. Default 1024.</summary>
    public int WindowRows { get; init; } = 1024;

    /// <summary>
    /// Bytes of prefill rows that may be on their way to one next hop, all sessions together: well below what a link lets
    /// its receiver hold, so that control frames are always read. Default 16 MiB.
    /// </summary>
    public long LinkWindowBytes { get; init; } = 16L << 20;
}
