using Parallax.KvBlocks.Buffers;
using Parallax.KvBlocks.Disk;
using Parallax.KvBlocks.Index;

namespace Parallax.KvBlocks;

/// <summary>The side that the disk tier sees: parts go to disk in the background as soon as they are committed.</summary>
public sealed partial class BlockStore
{
    private readonly Queue<(int Slot, uint Generation)> _unwritten = new(); // guarded by _gate, as all below
    private readonly Dictionary<int, long> _liveBytes = []; // by segment
    private IPartDisk? _disk;
    private Action? _wake;
    private long _diskBytes;

    /// <summary>Gives the store a disk tier, once, before it is used.</summary>
    /// <param name="disk">Reads parts.</param>
    /// <param name="wake">Called, under the store's lock, when there is something to write.</param>
    internal void Attach(IPartDisk disk, Action wake)
    {
        lock (_gate)
        {
            (_disk, _wake) = (disk, wake);
        }
    }

    /// <summary>The next part that is in memory and not on disk, in the order in which they were committed.</summary>
    internal bool TryTakeUnwritten(out UnwrittenPart unwritten)
    {
        lock (_gate)
        {
            while (_unwritten.TryDequeue(out var next))
            {
                ref var part = ref _index[next.Slot];
                if (part.Generation == next.Generation && part.Buffer is { } buffer && part.Segment == PartSlot.None)
                {
                    unwritten = new UnwrittenPart(next.Slot, next.Generation, Describe(part), part.Checksum, buffer.Share());
                    return true;
                }
            }
        }

        unwritten = default;
        return false;
    }

    /// <summary>A part that could not be written is to be tried again, after the others.</summary>
    internal void PutBack(in UnwrittenPart unwritten)
    {
        lock (_gate)
        {
            if (_index[unwritten.Slot].Generation == unwritten.Generation)
            {
                _unwritten.Enqueue((unwritten.Slot, unwritten.Generation));
            }
        }
    }

    /// <summary>A part has been written; it may have been given up meanwhile.</summary>
    internal void MarkWritten(in UnwrittenPart unwritten, int segment, uint offset)
    {
        lock (_gate)
        {
            if (_index[unwritten.Slot].Generation == unwritten.Generation && _index[unwritten.Slot].Segment == PartSlot.None)
            {
                PlaceOnDisk(unwritten.Slot, segment, offset);
            }
        }
    }

    /// <summary>A record that was found at the start. The last one of a part counts.</summary>
    internal void Restore(in RecordHeader record, int segment, uint offset)
    {
        lock (_gate)
        {
            var owner = _tenants.Open(record.Part.Tenant, Now);
            var slot = _index.Find(record.Part.Address, owner);
            if (slot != PartSlot.None)
            {
                DropPlace(_tenants[owner], slot);
            }
            else
            {
                slot = _index.Add(record.Part.Address, owner, record.Part.Length, record.Part.Previous);
                _tenants[owner].Parts++;
                _stored++;
            }

            ref var part = ref _index[slot];
            part.State = SlotState.Stored;
            part.Length = record.Part.Length;
            part.Checksum = record.Checksum;
            PlaceOnDisk(slot, segment, offset);
        }
    }

    /// <summary>Whether a record is where its part is read from.</summary>
    internal bool IsLive(in RecordHeader record, int segment, uint offset)
    {
        lock (_gate)
        {
            return FindAt(record, segment, offset) != PartSlot.None;
        }
    }

    /// <summary>A live record has been copied elsewhere; null for a copy that could not be made: the part is gone from disk.</summary>
    internal void Move(in RecordHeader record, int segment, uint offset, (int Segment, uint Offset)? copy)
    {
        lock (_gate)
        {
            var slot = FindAt(record, segment, offset);
            if (slot == PartSlot.None)
            {
                return;
            }

            if (copy is not { } to)
            {
                DropFromDisk(_tenants[_index[slot].Tenant], slot);
                return;
            }

            // It keeps its place in the order of use.
            ref var part = ref _index[slot];
            var bytes = RecordHeader.RecordBytes(part.Length);
            AddLive(segment, -bytes);
            AddLive(to.Segment, bytes);
            (part.Segment, part.Offset) = (to.Segment, to.Offset);
        }
    }

    /// <summary>
    /// A segment goes: parts that it is still thought to hold, because their records could not be found there any more, are gone from disk.
    /// </summary>
    internal void ForgetSegment(int segment)
    {
        lock (_gate)
        {
            for (var slot = 0; slot < _index.Extent && _liveBytes.ContainsKey(segment); slot++)
            {
                if (_index[slot].State == SlotState.Stored && _index[slot].Segment == segment)
                {
                    DropFromDisk(_tenants[_index[slot].Tenant], slot);
                }
            }
        }
    }

    /// <summary>Bytes of a segment that are still of use.</summary>
    internal long LiveBytes(int segment)
    {
        lock (_gate)
        {
            return _liveBytes.GetValueOrDefault(segment);
        }
    }

    /// <summary>Gives up parts on disk, by the same order as in memory.</summary>
    /// <returns>Whether any was.</returns>
    internal bool EvictFromDisk(long bytes)
    {
        lock (_gate)
        {
            ExpireCore();
            var before = _diskBytes;
            return Evict(Tier.Disk, bytes) || _diskBytes < before;
        }
    }

    private ScannedPart Describe(in PartSlot part) => new(_tenants[part.Tenant].Id, part.Address, part.Length, part.Previous);

    private void EnqueueUnwritten(int slot)
    {
        if (_disk is null)
        {
            return;
        }

        if (_unwritten.Count > (2 * _index.Count) + 1024)
        {
            // The disk does not keep up, and most of what waits has been given up meanwhile.
            var waiting = _unwritten.Where(next => _index[next.Slot].Generation == next.Generation).ToList();
            _unwritten.Clear();
            waiting.ForEach(_unwritten.Enqueue);
        }

        _unwritten.Enqueue((slot, _index[slot].Generation));
        _wake!();
    }

    private void PlaceOnDisk(int slot, int segment, uint offset)
    {
        ref var part = ref _index[slot];
        var tenant = _tenants[part.Tenant];
        var bytes = RecordHeader.RecordBytes(part.Length);
        (part.Segment, part.Offset) = (segment, offset);
        RecencyLists.Add(_index, tenant, slot, Tier.Disk);
        tenant[Tier.Disk].Bytes += bytes;
        _diskBytes += bytes;
        AddLive(segment, bytes);
    }

    /// <summary>Takes a part's record out of the books; its slot stays.</summary>
    private long DropPlace(Tenant tenant, int slot)
    {
        ref var part = ref _index[slot];
        var bytes = RecordHeader.RecordBytes(part.Length);
        RecencyLists.Remove(_index, tenant, slot, Tier.Disk);
        tenant[Tier.Disk].Bytes -= bytes;
        _diskBytes -= bytes;
        AddLive(part.Segment, -bytes);
        part.Segment = PartSlot.None;
        return bytes;
    }

    private long DropFromDisk(Tenant tenant, int slot)
    {
        var bytes = DropPlace(tenant, slot);
        if (_index[slot].Buffer is null)
        {
            _stored--;
            RemoveSlot(slot);
        }

        return bytes;
    }

    private int FindAt(in RecordHeader record, int segment, uint offset)
    {
        var owner = _tenants.Find(record.Part.Tenant);
        var slot = owner < 0 ? PartSlot.None : _index.Find(record.Part.Address, owner);
        return slot != PartSlot.None && _index[slot].Segment == segment && _index[slot].Offset == offset ? slot : PartSlot.None;
    }

    private void AddLive(int segment, long bytes)
    {
        var live = _liveBytes.GetValueOrDefault(segment) + bytes;
        if (live == 0)
        {
            _liveBytes.Remove(segment);
        }
        else
        {
            _liveBytes[segment] = live;
        }
    }

    /// <summary>A part has been read from disk: it goes back into memory, if there is room for it.</summary>
    private void OnReadFromDisk(in PartPlace place, PartBuffer payload)
    {
        lock (_gate)
        {
            _counts.Hits++;
            _counts.DiskHits++;
            ref var part = ref _index[place.Slot];
            if (part.Generation != place.Generation || part.Buffer is not null)
            {
                return;
            }

            var owner = part.Tenant;
            var tenant = _tenants[owner];
            var cost = MemoryCost(part.Length);
            _memoryBytes += cost;
            tenant[Tier.Memory].Bytes += cost;
            if (!Evict(Tier.Memory, _memoryBytes - _options.MemoryBytes))
            {
                _memoryBytes -= cost;
                tenant[Tier.Memory].Bytes -= cost;
                return;
            }

            part.Buffer = payload.Share();
            RecencyLists.Add(_index, tenant, place.Slot, Tier.Memory);
        }
    }

    private void ForgetCorrupt(in PartPlace place)
    {
        lock (_gate)
        {
            _counts.Corrupt++;
            ref var part = ref _index[place.Slot];
            if (part.Generation == place.Generation && part.Segment == place.Segment && part.Offset == place.Offset)
            {
                DropFromDisk(_tenants[part.Tenant], place.Slot);
            }
        }
    }
}
