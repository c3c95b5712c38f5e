namespace Parallax.KvBlocks;

/// <summary>What <see cref="StoreStatistics"/> tells, while it is being counted.</summary>
internal sealed class StoreCounts
{
    public long Puts { get; set; }

    public long Hits { get; set; }

    public long DiskHits { get; set; }

    public long Misses { get; set; }

    public long MemoryEvictions { get; set; }

    public long Lost { get; set; }

    public long DiskEvictions { get; set; }

    public long Corrupt { get; set; }

    public long Expired { get; set; }
}
