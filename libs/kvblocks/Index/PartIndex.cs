using System.Numerics;

namespace Parallax.KvBlocks.Index;

/// <summary>
/// Parts by (tenant, hash), then kind and layer: an open table of blocks, each a list of its parts. Slots stand in pages that never
/// move. Not thread-safe.
/// </summary>
internal sealed class PartIndex
{
    private const int PageShift = 10;
    private const int PageSlots = 1 << PageShift;
    private const int FewestBuckets = 64;

    private readonly List<PartSlot[]> _pages = [];
    private readonly ulong _seed;
    private int[] _buckets = NewBuckets(FewestBuckets);
    private int _blocks;
    private int _free = PartSlot.None;
    private int _used; // slots that have ever been used

    /// <param name="seed">Spreads blocks over buckets; unknown to whoever chooses hashes.</param>
    public PartIndex(ulong seed) => _seed = seed;

    /// <summary>Slots in use.</summary>
    public int Count { get; private set; }

    /// <summary>Slots there are; those beyond were never used.</summary>
    public int Extent => _used;

    public ref PartSlot this[int slot] => ref _pages[slot >> PageShift][slot & (PageSlots - 1)];

    /// <summary>A block's first part; <see cref="PartSlot.None"/> when there is none.</summary>
    public int FindBlock(UInt128 hash, int tenant)
    {
        for (var slot = _buckets[BucketOf(hash, tenant)]; slot != PartSlot.None; slot = this[slot].NextInBucket)
        {
            ref var part = ref this[slot];
            if (part.Tenant == tenant && part.Hash == hash)
            {
                return slot;
            }
        }

        return PartSlot.None;
    }

    /// <summary>A part's slot; <see cref="PartSlot.None"/> when there is none.</summary>
    public int Find(in PartAddress address, int tenant)
    {
        var slot = FindBlock(address.Hash, tenant);
        while (slot != PartSlot.None && (this[slot].Kind != address.Kind || this[slot].Layer != address.Layer))
        {
            slot = this[slot].NextOfBlock;
        }

        return slot;
    }

    /// <summary>Adds a part that is not there, as <see cref="SlotState.Reserved"/>.</summary>
    public int Add(in PartAddress address, int tenant, int length, UInt128 previous)
    {
        var slot = Take();
        ref var part = ref this[slot];
        var generation = part.Generation;
        part = new PartSlot
        {
            HashLow = (ulong)address.Hash,
            HashHigh = (ulong)(address.Hash >> 64),
            PreviousLow = (ulong)previous,
            PreviousHigh = (ulong)(previous >> 64),
            Tenant = tenant,
            Length = length,
            Layer = (ushort)address.Layer,
            Kind = address.Kind,
            State = SlotState.Reserved,
            NextOfBlock = PartSlot.None,
            NextInBucket = PartSlot.None,
            MemoryOlder = PartSlot.None,
            MemoryNewer = PartSlot.None,
            DiskOlder = PartSlot.None,
            DiskNewer = PartSlot.None,
            Generation = generation,
            Segment = PartSlot.None,
        };
        var head = FindBlock(address.Hash, tenant);
        if (head != PartSlot.None)
        {
            part.NextOfBlock = this[head].NextOfBlock;
            this[head].NextOfBlock = slot;
            return slot;
        }

        if (_blocks == _buckets.Length)
        {
            Grow();
        }

        Link(slot);
        _blocks++;
        return slot;
    }

    /// <summary>Frees a part's slot.</summary>
    public void Remove(int slot)
    {
        ref var part = ref this[slot];
        ref var link = ref _buckets[BucketOf(part.Hash, part.Tenant)];
        while (this[link].Tenant != part.Tenant || this[link].Hash != part.Hash)
        {
            link = ref this[link].NextInBucket;
        }

        if (link == slot)
        {
            // The next part of the block takes its place in the bucket.
            if (part.NextOfBlock != PartSlot.None)
            {
                this[part.NextOfBlock].NextInBucket = part.NextInBucket;
                link = part.NextOfBlock;
            }
            else
            {
                link = part.NextInBucket;
                _blocks--;
            }
        }
        else
        {
            var before = link;
            while (this[before].NextOfBlock != slot)
            {
                before = this[before].NextOfBlock;
            }

            this[before].NextOfBlock = part.NextOfBlock;
        }

        part.State = SlotState.Free;
        part.Buffer = null;
        part.Generation++;
        part.NextInBucket = _free;
        _free = slot;
        Count--;
    }

    private static int[] NewBuckets(int count)
    {
        var buckets = new int[count];
        Array.Fill(buckets, PartSlot.None);
        return buckets;
    }

    private int Take()
    {
        Count++;
        if (_free != PartSlot.None)
        {
            var slot = _free;
            _free = this[slot].NextInBucket;
            return slot;
        }

        if (_used == _pages.Count << PageShift)
        {
            _pages.Add(new PartSlot[PageSlots]);
        }

        return _used++;
    }

    private void Link(int slot)
    {
        ref var part = ref this[slot];
        ref var bucket = ref _buckets[BucketOf(part.Hash, part.Tenant)];
        part.NextInBucket = bucket;
        bucket = slot;
    }

    private void Grow()
    {
        var old = _buckets;
        _buckets = NewBuckets(old.Length * 2);
        foreach (var first in old)
        {
            for (var slot = first; slot != PartSlot.None;)
            {
                var next = this[slot].NextInBucket;
                Link(slot);
                slot = next;
            }
        }
    }

    private int BucketOf(UInt128 hash, int tenant)
    {
        var mixed = ((ulong)hash ^ _seed) * 0x9E3779B97F4A7C15;
        mixed ^= BitOperations.RotateLeft(mixed, 31) + (ulong)(hash >> 64);
        mixed = (mixed + (uint)tenant) * 0xD6E8FEB86659FD93;
        return (int)(mixed >> 32) & (_buckets.Length - 1);
    }
}
