namespace Parallax.Audit.Log;

/// <summary>How a local log is kept.</summary>
public sealed record AuditLogOptions
{
    /// <summary>Its folder; one process at a time.</summary>
    public required string Folder { get; init; }

    /// <summary>Whether contents are kept.</summary>
    public bool KeepsContents { get; init; } = true;

    /// <summary>
    /// Whether commits are forced to the disk (survive a loss of power, cost milliseconds a token) or only handed to the operating
    /// system (survive the process).
    /// </summary>
    public bool IsForced { get; init; }

    /// <summary>Bytes that may wait for the event store; beyond, no request is taken up.</summary>
    public long MaxBytes { get; init; } = 1L << 30;

    /// <summary>Bytes after which another file is begun.</summary>
    public long FileBytes { get; init; } = 16 << 20;

    /// <summary>Tokens of a choice that one event holds.</summary>
    public int TokensAnEvent { get; init; } = 64;

    /// <summary>How often streams that grew are put into a checkpoint.</summary>
    public TimeSpan CheckpointEvery { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Streams that are put into one checkpoint at most.</summary>
    public int CheckpointStreams { get; init; } = 512;
}
