namespace Parallax.Runtime.KvCache;

/// <summary>
/// The physical blocks of one KV group: reference counts, the free list, and the unreferenced blocks that the prefix
/// cache keeps, oldest first. Every block is in exactly one state: free, used (references above 0) or cached
/// (no references, belongs to a prefix node). Pure accounting for one thread; every operation is O(1).
/// </summary>
internal sealed class BlockPool
{
    private const int None = -1;

    private readonly int[] _references;
    private readonly int[] _nodes;
    private readonly int[] _older;
    private readonly int[] _newer;
    private readonly int[] _free;
    private int _freeCount;
    private int _cachedCount;
    private int _oldest = None;
    private int _newest = None;

    public BlockPool(int blocks)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(blocks);
        _references = new int[blocks];
        _nodes = new int[blocks];
        _older = new int[blocks];
        _newer = new int[blocks];
        _free = new int[blocks];
        Array.Fill(_nodes, None);
        for (var i = 0; i < blocks; i++)
        {
            // A stack whose top is block 0: low ids are used first, which keeps a half-empty store's memory untouched.
            _free[i] = blocks - 1 - i;
        }

        _freeCount = blocks;
    }

    /// <summary>All blocks.</summary>
    public int Total => _references.Length;

    /// <summary>Blocks that hold nothing.</summary>
    public int Free => _freeCount;

    /// <summary>Unreferenced blocks kept for prefix hits.</summary>
    public int Cached => _cachedCount;

    /// <summary>Referenced blocks.</summary>
    public int Used => Total - _freeCount - _cachedCount;

    /// <summary>Blocks that can be had without taking one from a holder: free ones and, after eviction, cached ones.</summary>
    public int Available => _freeCount + _cachedCount;

    /// <summary>The cached block that was released longest ago; -1 when none is cached.</summary>
    public int OldestCached => _oldest;

    /// <summary>Holders of <paramref name="block"/>.</summary>
    public int References(int block) => _references[block];

    /// <summary>The prefix node that <paramref name="block"/> belongs to; -1 for none.</summary>
    public int NodeOf(int block) => _nodes[block];

    /// <summary>Takes a free block with one reference; -1 when none is free.</summary>
    public int Rent()
    {
        if (_freeCount == 0)
        {
            return None;
        }

        var block = _free[--_freeCount];
        _references[block] = 1;
        return block;
    }

    /// <summary>Adds a holder to a used or cached block.</summary>
    public void AddReference(int block)
    {
        if (_references[block] == 0)
        {
            if (_nodes[block] == None)
            {
                throw new InvalidOperationException($"KV block {block} is free: only a used or cached block can get a holder");
            }

            Unlink(block);
        }

        _references[block]++;
    }

    /// <summary>Removes a holder; the last one leaves the block cached if it belongs to a prefix node, else free.</summary>
    public void Release(int block)
    {
        if (_references[block] <= 0)
        {
            throw new InvalidOperationException($"KV block {block} is released more often than it was taken");
        }

        if (--_references[block] > 0)
        {
            return;
        }

        if (_nodes[block] == None)
        {
            _free[_freeCount++] = block;
        }
        else
        {
            LinkNewest(block);
        }
    }

    /// <summary>Gives a used block to a prefix node, so that it outlives its holders.</summary>
    public void Attach(int block, int node)
    {
        if (_references[block] == 0 || _nodes[block] != None)
        {
            throw new InvalidOperationException($"KV block {block} is unused or already belongs to a cached prefix");
        }

        _nodes[block] = node;
    }

    /// <summary>Takes a cached block from its prefix node and frees it. Refuses a referenced block.</summary>
    public void Evict(int block)
    {
        if (_references[block] != 0 || _nodes[block] == None)
        {
            throw new InvalidOperationException($"KV block {block} has {_references[block]} holders: only an unreferenced cached block can be evicted");
        }

        Unlink(block);
        _nodes[block] = None;
        _free[_freeCount++] = block;
    }

    /// <summary>Checks every block's state against the counts (tests).</summary>
    internal void CheckInvariants()
    {
        var seen = new bool[Total];
        for (var i = 0; i < _freeCount; i++)
        {
            Mark(_free[i], _references[_free[i]] == 0 && _nodes[_free[i]] == None, "free");
        }

        var cached = 0;
        for (int block = _oldest, before = None; block != None; before = block, block = _newer[block])
        {
            Mark(block, _references[block] == 0 && _nodes[block] != None && _older[block] == before, "cached");
            cached++;
        }

        var used = 0;
        for (var block = 0; block < Total; block++)
        {
            if (!seen[block])
            {
                Mark(block, _references[block] > 0, "used");
                used++;
            }
        }

        if (cached != _cachedCount || used != Used || _freeCount + used + cached != Total)
        {
            throw new InvalidOperationException($"{_freeCount} free + {used} used + {cached} cached of {Total} KV blocks");
        }

        void Mark(int block, bool sound, string state)
        {
            if (seen[block] || !sound)
            {
                throw new InvalidOperationException($"KV block {block} is {state} and something else");
            }

            seen[block] = true;
        }
    }

    private void LinkNewest(int block)
    {
        _older[block] = _newest;
        _newer[block] = None;
        if (_newest == None)
        {
            _oldest = block;
        }
        else
        {
            _newer[_newest] = block;
        }

        _newest = block;
        _cachedCount++;
    }

    private void Unlink(int block)
    {
        var older = _older[block];
        var newer = _newer[block];
        if (older == None)
        {
            _oldest = newer;
        }
        else
        {
            _newer[older] = newer;
        }

        if (newer == None)
        {
            _newest = older;
        }
        else
        {
            _older[newer] = older;
        }

        _cachedCount--;
    }
}
