namespace Parallax.KvBlocks.Disk;

/// <summary>What a disk tier has and has done since it was opened.</summary>
public sealed record DiskStatistics
{
    /// <summary>Segment files.</summary>
    public int Segments { get; init; }

    /// <summary>Bytes of them, also those that are of no use any more.</summary>
    public long FileBytes { get; init; }

    /// <summary>Parts that were found at the start.</summary>
    public long Restored { get; init; }

    /// <summary>Parts written.</summary>
    public long Written { get; init; }

    /// <summary>Bytes written, copies of compaction included.</summary>
    public long WrittenBytes { get; init; }

    /// <summary>Bytes that were copied out of segments that were mostly of no use.</summary>
    public long CompactedBytes { get; init; }

    /// <summary>Segments deleted.</summary>
    public long Dropped { get; init; }

    /// <summary>Writes that failed: the disk was full, or did not take them.</summary>
    public long WriteFailures { get; init; }

    /// <summary>Parts for which no room could be made, because leases keep all others.</summary>
    public long Skipped { get; init; }

    /// <summary>Reads that failed.</summary>
    public long ReadFailures { get; init; }

    /// <summary>Bytes that were skipped at the start, because they are damaged or were not written to the end.</summary>
    public long DamagedBytes { get; init; }

    /// <summary>Files of other versions, and of others, which were left alone.</summary>
    public int FilesLeftAlone { get; init; }

    /// <summary>Why nothing is written at the moment; null when there is no reason.</summary>
    public string? Problem { get; init; }
}
