using System.Runtime.InteropServices;

namespace Parallax.KvIndex.Index;

/// <summary>
/// A bounded set of (holder, block) pairs in one flat array: open addressing with linear probing, two slots for three
/// entries at most when full, and a list through each holder's entries from the oldest to the newest. 30 bytes a pair when
/// full. A block is known by 64 bits of its hash: two that share them look like one, which is a miss at the worker. Pure;
/// not thread-safe.
/// </summary>
internal sealed class BlockTable
{
    /// <summary>Bytes of one slot.</summary>
    public const int SlotBytes = 20;

    private const int None = -1;

    private readonly Slot[] _slots;
    private readonly ulong _seed;
    private HolderEntries[] _holders = new HolderEntries[16];

    /// <param name="capacity">Pairs at most.</param>
    /// <param name="seed">Of the slots' places: one that workers do not know, so that none can choose hashes that all want the same place.</param>
    public BlockTable(int capacity, ulong seed)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(capacity, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(capacity, 1 << 28);
        Capacity = capacity;
        _seed = seed;
        _slots = new Slot[capacity + (capacity / 2) + 1];
    }

    /// <summary>Pairs at most.</summary>
    public int Capacity { get; }

    /// <summary>Pairs now.</summary>
    public int Count { get; private set; }

    /// <summary>Memory of the pairs, whether used or not.</summary>
    public long Bytes => (long)_slots.Length * SlotBytes;

    /// <summary>Pairs of a holder.</summary>
    public int CountOf(int holder) => holder < _holders.Length ? _holders[holder].Count : 0;

    public bool Contains(int holder, UInt128 hash) => Find(holder, (ulong)hash) >= 0;

    /// <summary>
    /// Reads the place where a pair is looked for first and decides nothing by it: a loop of these has its cache misses all at
    /// once, and the searches that follow have none.
    /// </summary>
    public int Touch(int holder, UInt128 hash) => _slots[HomeOf((ulong)hash, holder + 1)].Owner;

    /// <summary>Adds a pair as its holder's newest; false when it is there already. There must be room.</summary>
    public bool Add(int holder, UInt128 hash)
    {
        var place = Find(holder, (ulong)hash);
        if (place >= 0)
        {
            return false;
        }

        if (Count == Capacity)
        {
            throw new InvalidOperationException($"all {Capacity} places are taken");
        }

        if (holder >= _holders.Length)
        {
            Array.Resize(ref _holders, Math.Max(holder + 1, _holders.Length * 2));
        }

        place = ~place;
        ref var entries = ref _holders[holder];
        var newest = entries.Count == 0 ? None : entries.Newest;
        _slots[place] = new Slot { Key = (ulong)hash, Owner = holder + 1, Older = newest, Newer = None };
        if (newest == None)
        {
            entries.Oldest = place;
        }
        else
        {
            _slots[newest].Newer = place;
        }

        entries.Newest = place;
        entries.Count++;
        Count++;
        return true;
    }

    /// <summary>Removes a pair; false when it is not there.</summary>
    public bool Remove(int holder, UInt128 hash)
    {
        var place = Find(holder, (ulong)hash);
        if (place < 0)
        {
            return false;
        }

        RemoveAt(place);
        return true;
    }

    /// <summary>Removes up to <paramref name="most"/> of a holder's oldest pairs.</summary>
    /// <returns>How many.</returns>
    public int RemoveOldest(int holder, int most)
    {
        var removed = 0;
        while (removed < most && CountOf(holder) > 0)
        {
            RemoveAt(_holders[holder].Oldest);
            removed++;
        }

        return removed;
    }

    /// <summary>Checks the lists and places against each other (tests).</summary>
    internal void CheckInvariants()
    {
        var live = 0;
        for (var i = 0; i < _slots.Length; i++)
        {
            if (_slots[i].Owner != 0)
            {
                live++;
                Require(Find(_slots[i].Owner - 1, _slots[i].Key) == i, "a pair is not found at its place");
            }
        }

        var listed = 0;
        for (var holder = 0; holder < _holders.Length; holder++)
        {
            var before = None;
            var place = _holders[holder].Count == 0 ? None : _holders[holder].Oldest;
            for (var i = 0; i < _holders[holder].Count; i++)
            {
                Require(_slots[place].Owner == holder + 1 && _slots[place].Older == before, "a holder's list is broken");
                (before, place) = (place, _slots[place].Newer);
                listed++;
            }

            Require(place == None && (before == None || before == _holders[holder].Newest), "a holder's list does not end with its newest");
        }

        Require(live == Count && listed == Count, $"{live} places and {listed} in lists of {Count}");

        static void Require(bool condition, string problem)
        {
            if (!condition)
            {
                throw new InvalidOperationException(problem);
            }
        }
    }

    /// <summary>The place of a pair, or the complement of the place where it would go.</summary>
    private int Find(int holder, ulong key)
    {
        var place = HomeOf(key, holder + 1);
        while (true)
        {
            ref readonly var slot = ref _slots[place];
            if (slot.Owner == 0)
            {
                return ~place;
            }

            if (slot.Key == key && slot.Owner == holder + 1)
            {
                return place;
            }

            place = place + 1 == _slots.Length ? 0 : place + 1;
        }
    }

    /// <summary>Where a pair is looked for first: the finaliser of MurmurHash3 (Appleby 2011) over key, owner and seed.</summary>
    private int HomeOf(ulong key, int owner)
    {
        var mixed = key ^ _seed ^ ((ulong)owner * 0x9E3779B97F4A7C15);
        mixed = (mixed ^ (mixed >> 33)) * 0xFF51AFD7ED558CCD;
        mixed = (mixed ^ (mixed >> 33)) * 0xC4CEB9FE1A85EC53;
        return (int)Math.BigMul(mixed ^ (mixed >> 33), (ulong)_slots.Length, out _);
    }

    private void RemoveAt(int place)
    {
        // 1. Out of its holder's list.
        var removed = _slots[place];
        ref var entries = ref _holders[removed.Owner - 1];
        if (removed.Older == None)
        {
            entries.Oldest = removed.Newer;
        }
        else
        {
            _slots[removed.Older].Newer = removed.Newer;
        }

        if (removed.Newer == None)
        {
            entries.Newest = removed.Older;
        }
        else
        {
            _slots[removed.Newer].Older = removed.Older;
        }

        entries.Count--;
        Count--;

        // 2. What was pushed on by it moves back, so that no search ends at the hole.
        var hole = place;
        for (var next = Next(hole); _slots[next].Owner != 0; next = Next(next))
        {
            if (Distance(HomeOf(_slots[next].Key, _slots[next].Owner), next) >= Distance(hole, next))
            {
                Move(next, hole);
                hole = next;
            }
        }

        _slots[hole] = default;
    }

    private void Move(int from, int to)
    {
        var slot = _slots[from];
        _slots[to] = slot;
        ref var entries = ref _holders[slot.Owner - 1];
        if (slot.Older == None)
        {
            entries.Oldest = to;
        }
        else
        {
            _slots[slot.Older].Newer = to;
        }

        if (slot.Newer == None)
        {
            entries.Newest = to;
        }
        else
        {
            _slots[slot.Newer].Older = to;
        }
    }

    private int Next(int place) => place + 1 == _slots.Length ? 0 : place + 1;

    private int Distance(int from, int to) => to >= from ? to - from : to - from + _slots.Length;

    [StructLayout(LayoutKind.Sequential, Pack = 4, Size = SlotBytes)]
    private struct Slot
    {
        public ulong Key;
        public int Owner; // the holder's number and 1; 0: empty
        public int Older;
        public int Newer;
    }

    private struct HolderEntries
    {
        public int Count; // 0: the others mean nothing
        public int Oldest;
        public int Newest;
    }
}
