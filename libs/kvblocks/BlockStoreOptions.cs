namespace Parallax.KvBlocks;

/// <summary>How large a store may become.</summary>
public sealed record BlockStoreOptions
{
    /// <summary>The smallest budget of the memory tier: a few of the largest parts.</summary>
    public const long LeastMemoryBytes = 16 << 20;

    /// <summary>Bytes of the memory tier: parts with what their buffers cost, and parts that are being written.</summary>
    public long MemoryBytes { get; init; } = 1L << 30;

    /// <summary>Bytes of the disk tier; 0: none.</summary>
    public long DiskBytes { get; init; }

    /// <summary>A tenant that has neither put nor read anything for this long has no share of its own any more: what it has goes first.</summary>
    public TimeSpan TenantIdleAfter { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>Spreads the index; drawn by whoever makes the store, so that nobody can choose hashes that meet in one place.</summary>
    public ulong Seed { get; init; }

    /// <summary>Everything that is wrong with these options; empty when they can be used.</summary>
    public IReadOnlyList<string> Validate()
    {
        var errors = new List<string>();
        if (MemoryBytes < LeastMemoryBytes)
        {
            errors.Add($"The memory of a block store must be at least {LeastMemoryBytes >> 20} MiB.");
        }

        if (DiskBytes < 0)
        {
            errors.Add("The disk budget of a block store must not be negative.");
        }

        if (TenantIdleAfter <= TimeSpan.Zero)
        {
            errors.Add("The time after which a tenant is idle must be more than 0 s.");
        }

        return errors;
    }
}
