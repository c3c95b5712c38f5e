namespace Parallax.KvBlocks;

/// <summary>What a store holds and has done since it was made.</summary>
public sealed record StoreStatistics
{
    /// <summary>Parts that can be read.</summary>
    public int Parts { get; init; }

    /// <summary>Tenants that have some.</summary>
    public int Tenants { get; init; }

    /// <summary>Bytes of the memory tier in use, what is being written included.</summary>
    public long MemoryBytes { get; init; }

    /// <summary>Bytes of parts that can be read from disk, with their headers.</summary>
    public long DiskBytes { get; init; }

    /// <summary>Bytes reserved for parts that are being written.</summary>
    public long ReservedBytes { get; init; }

    /// <summary>Parts put.</summary>
    public long Puts { get; init; }

    /// <summary>Reads that found their part.</summary>
    public long Hits { get; init; }

    /// <summary>Of those, how many read the disk.</summary>
    public long DiskHits { get; init; }

    /// <summary>Reads that did not.</summary>
    public long Misses { get; init; }

    /// <summary>Parts that left the memory tier for others.</summary>
    public long MemoryEvictions { get; init; }

    /// <summary>Of those, how many had no copy on disk and are gone.</summary>
    public long Lost { get; init; }

    /// <summary>Parts that left the disk tier for others.</summary>
    public long DiskEvictions { get; init; }

    /// <summary>Parts on disk whose bytes were not what had been written: they were misses.</summary>
    public long Corrupt { get; init; }

    /// <summary>Reservations and leases whose time was over before they were given back.</summary>
    public long Expired { get; init; }

    /// <summary>Parts that wait to be written to disk.</summary>
    public int Unwritten { get; init; }
}
