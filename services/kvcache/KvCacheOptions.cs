using System.Globalization;
using Parallax.Hosting.Status;
using Parallax.KvBlocks;
using Parallax.KvBlocks.Disk;

namespace Parallax.KvCache;

/// <summary>How an instance of the KV cache is set up.</summary>
public sealed record KvCacheOptions
{
    private const int MemoryShare = 2;

    /// <summary>Bytes of parts in memory; by default half of what the process may use.</summary>
    public long MemoryBytes { get; init; } = Math.Max(BlockStoreOptions.LeastMemoryBytes, GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / MemoryShare);

    /// <summary>Bytes of the files on disk; 0: none.</summary>
    public long DiskBytes { get; init; }

    /// <summary>The folder in which it takes a folder for its files; null: none.</summary>
    public string? Folder { get; init; }

    /// <summary>Copies of each block over the instances; the same at all instances and clients of a swarm.</summary>
    public int Copies { get; init; } = 2;

    /// <summary>Bytes a second that missing copies may take.</summary>
    public long RepairBytesPerSecond { get; init; } = 64 << 20;

    /// <summary>How often all blocks are looked at for missing copies while no instance comes or goes.</summary>
    public TimeSpan RepairEvery { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>How long an instance is thought to be there without being heard of; what it says of itself is published every third of it.</summary>
    public TimeSpan Lease { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>How often the overlay is read for other instances.</summary>
    public TimeSpan PollEvery { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>Where it answers machines over HTTP: health and metrics; null: nowhere.</summary>
    public StatusOptions? Status { get; init; }

    /// <summary>Everything that is wrong with these options; empty when they can be used.</summary>
    public IReadOnlyList<string> Validate()
    {
        var errors = new List<string>();
        Require(MemoryBytes >= BlockStoreOptions.LeastMemoryBytes, $"--memory: at least {BlockStoreOptions.LeastMemoryBytes >> 20}MiB are needed.");
        Require(DiskBytes == 0 || DiskBytes >= DiskTierOptions.LeastBytes, $"--disk: at least {DiskTierOptions.LeastBytes >> 20}MiB are needed, or 0 for no disk.");
        Require((DiskBytes > 0) == (Folder is not null), "--disk and --folder go together: how much of the disk may be used, and where.");
        Require(Folder is not "", "--folder: name a folder.");
        Require(Copies is >= 1 and <= 8, string.Create(CultureInfo.InvariantCulture, $"--copies: {Copies} is no number of copies; use 1 to 8."));
        Require(RepairBytesPerSecond >= 1 << 20, "--repair-rate: at least 1MiB a second is needed.");
        Require(RepairEvery > TimeSpan.Zero && PollEvery > TimeSpan.Zero, "RepairEvery and PollEvery must be more than 0 s.");
        Require(Lease >= 2 * PollEvery, "The lease must be at least twice as long as PollEvery.");
        errors.AddRange(Status?.Validate() ?? []);
        return errors;

        void Require(bool condition, string error)
        {
            if (!condition)
            {
                errors.Add(error);
            }
        }
    }
}
