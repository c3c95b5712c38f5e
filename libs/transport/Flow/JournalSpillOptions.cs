namespace Parallax.Transport.Flow;

/// <summary>Bounds of a <see cref="JournalSpill"/>.</summary>
public sealed record JournalSpillOptions
{
    /// <summary>The default of <see cref="Bytes"/>: 4 GiB, a quarter of a million rows of 8192 bf16 values.</summary>
    public const long DefaultBytes = 4L << 30;

    /// <summary>
    /// Folder of the file; made if it is missing. On a disk: a file in a folder that is memory (tmpfs) spends what it
    /// is to save.
    /// </summary>
    public required string Folder { get; init; }

    /// <summary>Bytes of a slot: the longest chunk that is taken. <see cref="RowJournal.ChunkBytesOf"/> tells.</summary>
    public required int ChunkBytes { get; init; }

    /// <summary>Bytes that the file may have; less than a chunk: nothing is spilled.</summary>
    public long Bytes { get; init; } = DefaultBytes;

    /// <summary>
    /// Bytes in memory, beside the journals' budget, that may wait to be written. When a disk is slower than that lasts,
    /// chunks are dropped: nobody waits for it. Default 16 MiB.
    /// </summary>
    public long QueueBytes { get; init; } = 16L << 20;

    /// <summary>Bytes in memory for chunks that are read before they are needed. Default 16 MiB.</summary>
    public long ReadAheadBytes { get; init; } = 16L << 20;
}
