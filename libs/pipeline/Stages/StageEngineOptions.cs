using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Parallax.Runtime.Execution;
using Parallax.Transport.Flow;

namespace Parallax.Pipeline.Stages;

/// <summary>Limits of a <see cref="StageEngine"/>.</summary>
public sealed record StageEngineOptions
{
    /// <summary>Limits that a stage shares with an engine of a whole model.</summary>
    public ExecutorOptions Executor { get; init; } = new();

    /// <summary>
    /// Journals that give each of 256 sessions two chunks, whatever the size of a row: with less, sessions could wait for
    /// one another's memory.
    /// </summary>
    public const long LeastJournalBytes = 32L << 20;

    /// <summary>Bytes of hidden states that all sessions together keep for their next hops. Default 256 MiB.</summary>
    public long JournalBytes { get; init; } = 256L << 20;

    /// <summary>
    /// Bytes that the file may have which takes what <see cref="JournalBytes"/> has no room for. Default 4 GiB; 0 for none.
    /// </summary>
    public long JournalSpillBytes { get; init; } = JournalSpillOptions.DefaultBytes;

    /// <summary>Folder of that file, on a disk; null (the default): there is none, and what has no room is dropped.</summary>
    public string? JournalSpillFolder { get; init; }

    /// <summary>
    /// Whether hidden states that leave the stage are kept beside the KV blocks as long as these are, so that a session that
    /// found a cached prefix can send its outputs without computing them again, and others get them with the blocks. As much
    /// memory as <see cref="ShardPlan.OutputBytes"/> says. Default false; without effect at a tail, and where links are not exact.
    /// </summary>
    public bool KeepOutputs { get; init; }

    /// <summary>Told once when that file fails.</summary>
    public ILogger Logger { get; init; } = NullLogger.Instance;

    /// <summary>Rows of one session that may be on their way to the next hop, unacknowledged. Default 1024.</summary>
    public int WindowRows { get; init; } = 1024;

    /// <summary>
    /// Bytes of prefill rows that may be on their way to one next hop, all sessions together: well below what a link lets
    /// its receiver hold, so that control frames are always read. Default 16 MiB.
    /// </summary>
    public long LinkWindowBytes { get; init; } = 16L << 20;

    /// <summary>
    /// Micro-batches that the decoding sessions of a path travel in; null (the default) finds the number that gives the
    /// most tokens per second. A number is for measurements and tests.
    /// </summary>
    public int? MicroBatches { get; init; }

    /// <summary>Throws when an option makes no sense; the message names all that do not.</summary>
    internal void Validate()
    {
        List<string> errors = [];
        if (JournalBytes < MinimalJournalBytes)
        {
            errors.Add($"JournalBytes is {JournalBytes}: at least {MinimalJournalBytes}");
        }

        if (JournalSpillBytes < 0)
        {
            errors.Add($"JournalSpillBytes is {JournalSpillBytes}: at least 0");
        }

        if (WindowRows < 64)
        {
            errors.Add($"WindowRows is {WindowRows}: at least 64, since decode rows are acknowledged several at a time");
        }

        if (LinkWindowBytes < 1)
        {
            errors.Add($"LinkWindowBytes is {LinkWindowBytes}: at least 1");
        }

        if (MicroBatches < 1)
        {
            errors.Add($"MicroBatches is {MicroBatches}: at least 1");
        }

        if (errors.Count > 0)
        {
            throw new ArgumentException(string.Join("; ", errors));
        }
    }

    /// <summary>A journal that cannot hold a few chunks of one session could never go on.</summary>
    private const long MinimalJournalBytes = 1 << 20;
}
