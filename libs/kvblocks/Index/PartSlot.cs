using Parallax.KvBlocks.Buffers;

namespace Parallax.KvBlocks.Index;

/// <summary>
/// What the index knows of a part: 96 bytes, and 4 to 8 more in the table of buckets. Links are numbers of slots;
/// <see cref="None"/> ends a list.
/// </summary>
internal struct PartSlot
{
    /// <summary>No slot, no segment.</summary>
    public const int None = -1;

    /// <summary>The bytes; null when they are on disk alone, or not written yet.</summary>
    public PartBuffer? Buffer;

    // Halves, because a UInt128 would be aligned to 16 bytes.
    public ulong HashLow;
    public ulong HashHigh;
    public ulong PreviousLow;
    public ulong PreviousHigh;
    public int Tenant;
    public int Length;
    public uint Checksum;
    public ushort Layer;
    public PartKind Kind;
    public SlotState State;

    /// <summary>The next part of the same block.</summary>
    public int NextOfBlock;

    /// <summary>Of a block's first part: the first part of the next block in the bucket.</summary>
    public int NextInBucket;

    public int MemoryOlder;
    public int MemoryNewer;
    public int DiskOlder;
    public int DiskNewer;

    /// <summary>Leases that keep it.</summary>
    public int Pins;

    /// <summary>Tells uses of the slot apart; raised when it becomes free.</summary>
    public uint Generation;

    /// <summary>The segment on disk; <see cref="None"/> when it is in memory alone.</summary>
    public int Segment;

    /// <summary>Where its record begins in the segment.</summary>
    public uint Offset;

    public readonly UInt128 Hash => new(HashHigh, HashLow);

    public readonly UInt128 Previous => new(PreviousHigh, PreviousLow);

    public readonly PartAddress Address => new(Hash, Kind, Layer);
}
