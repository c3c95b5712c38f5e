namespace Parallax.KvBlocks.Disk;

/// <summary>What a file of the store's folder is.</summary>
internal enum SegmentKind
{
    /// <summary>A segment that can be read.</summary>
    Ours,

    /// <summary>A segment that was cut off before its header was whole: it holds nothing.</summary>
    Empty,

    /// <summary>A segment whose header is damaged: its records cannot be told from their bytes.</summary>
    Damaged,

    /// <summary>A segment of another version of this program.</summary>
    OtherVersion,

    /// <summary>Something else.</summary>
    Foreign,
}
