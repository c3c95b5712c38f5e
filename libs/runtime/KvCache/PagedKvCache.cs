using System.Collections.Immutable;
using Parallax.Runtime.Execution;

namespace Parallax.Runtime.KvCache;

/// <summary>
/// Accounts for the KV blocks of one shard: which session holds which block of which group, and which prefixes are
/// cached. It knows no tensors: a shard writes and reads where the block tables point. For one thread.
/// </summary>
/// <remarks>
/// A sequence's full blocks become nodes of the prefix tree as they fill. When another sequence has filled the same
/// block before, the sequence adopts that block and frees its own: equal token ids give equal bits (batch invariance).
/// Windowed groups hold the window and <see cref="WindowSlack"/> positions more (session protocol, rule 6).
/// </remarks>
internal sealed class PagedKvCache
{
    /// <summary>Positions behind the window that stay, so that a session can go back as far as it may run ahead.</summary>
    public const int WindowSlack = 33;

    private readonly BlockPool[] _pools;
    private readonly int?[] _windows;
    private readonly PrefixCache _prefixes;
    private readonly bool _hasWindows;
    private int[] _path = new int[64];

    /// <param name="groups">The shard's KV groups.</param>
    /// <param name="blockCounts">Physical blocks of each group.</param>
    /// <param name="numericClass">What the blocks' bits depend on besides token ids.</param>
    /// <param name="hasher">Hash of a block; null for the stable one (others are for tests).</param>
    public PagedKvCache(
        ImmutableArray<KvGroup> groups, ImmutableArray<int> blockCounts, NumericClass numericClass, BlockHasher? hasher = null)
    {
        ArgumentNullException.ThrowIfNull(numericClass);
        if (groups.IsDefaultOrEmpty || blockCounts.Length != groups.Length)
        {
            throw new ArgumentException("each KV group needs its number of blocks, and there must be a group", nameof(blockCounts));
        }

        _pools = new BlockPool[groups.Length];
        _windows = new int?[groups.Length];
        for (var g = 0; g < groups.Length; g++)
        {
            if (groups[g].Window is <= 0 || blockCounts[g] < 1)
            {
                throw new ArgumentException($"KV group {g}: window {groups[g].Window}, {blockCounts[g]} blocks; both must be positive", nameof(groups));
            }

            _pools[g] = new BlockPool(blockCounts[g]);
            _windows[g] = groups[g].Window;
            _hasWindows |= _windows[g] is not null;
        }

        _prefixes = new PrefixCache(_pools, _windows, hasher ?? BlockHash.Chain, salt => BlockHash.Root(numericClass, salt));
        LongestSequence = ComputeLongestSequence();
    }

    /// <summary>KV groups.</summary>
    public int GroupCount => _pools.Length;

    /// <summary>The most positions that one sequence can have when it is alone; int.MaxValue when only windows limit it.</summary>
    public int LongestSequence { get; }

    /// <summary>Blocks of all groups.</summary>
    public int TotalBlocks => Sum(static pool => pool.Total);

    /// <summary>Blocks of all groups that sequences hold.</summary>
    public int UsedBlocks => Sum(static pool => pool.Used);

    /// <summary>Unreferenced blocks of all groups that are kept for prefix hits.</summary>
    public int CachedBlocks => Sum(static pool => pool.Cached);

    /// <summary>Told the hash of each block that has become a node of the prefix tree, or has got a block that it lacked.</summary>
    public Action<UInt128>? Filled { get; set; }

    /// <summary>The pool of a group.</summary>
    internal BlockPool Pool(int group) => _pools[group];

    /// <summary>The tree of prefixes.</summary>
    internal PrefixCache Prefixes => _prefixes;

    /// <summary>Blocks of <paramref name="group"/> that can be had without taking one from a sequence.</summary>
    public int Available(int group) => _pools[group].Available;

    /// <summary>
    /// The most blocks of <paramref name="group"/> that a sequence holds at once when it grows to
    /// <paramref name="length"/> positions by steps of at most <paramref name="chunk"/>.
    /// </summary>
    public int PeakBlocks(int group, int length, int chunk)
    {
        var blocks = KvSequence.BlocksFor(length);
        return _windows[group] is { } window
            ? (int)Math.Min(blocks, (((long)window + WindowSlack + chunk + KvGroup.BlockTokens - 2) / KvGroup.BlockTokens) + 1)
            : blocks;
    }

    /// <summary>An empty sequence of the tenant <paramref name="salt"/>, with tables for <paramref name="capacity"/> positions.</summary>
    public KvSequence Open(string salt, int capacity)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(capacity);
        return new KvSequence(_prefixes.AcquireRoot(salt), _pools.Length, KvSequence.BlocksFor(capacity));
    }

    /// <summary>
    /// Extends <paramref name="sequence"/> by the cached blocks that continue it, up to <paramref name="limit"/>
    /// positions of <paramref name="tokenIds"/>, and holds them. Does nothing while the sequence has private blocks.
    /// </summary>
    /// <returns>The sequence's length, a whole number of blocks if it was extended.</returns>
    public int Match(KvSequence sequence, ReadOnlySpan<int> tokenIds, int limit)
    {
        var start = sequence.CommittedBlocks;
        var most = Math.Min(limit, tokenIds.Length) / KvGroup.BlockTokens;
        if (sequence.IsPrivate || sequence.CoveredBlocks != start || sequence.Length != start * KvGroup.BlockTokens || start >= most)
        {
            return sequence.Length;
        }

        // 1. Follow the tree as far as it knows the token ids.
        var found = start;
        for (var node = sequence.Tip; found < most; found++)
        {
            var block = tokenIds.Slice(found * KvGroup.BlockTokens, KvGroup.BlockTokens);
            if (found != start || sequence.NextHashBlock != start)
            {
                sequence.NextHash = _prefixes.HashAfter(node, block);
                sequence.NextHashBlock = found;
            }

            var child = _prefixes.Find(node, sequence.NextHash, block);
            if (child == PrefixCache.None)
            {
                break;
            }

            sequence.NextHashBlock = PrefixCache.None;
            EnsurePath(found + 1);
            _path[found] = node = child;
        }

        if (found == start)
        {
            return sequence.Length;
        }

        // 2. Keep the longest part whose windows are resident, and hold its blocks.
        FillPath(sequence, start);
        var usable = LongestUsable(found);
        if (usable > start)
        {
            Hold(sequence, usable);
        }

        return sequence.Length;
    }

    /// <summary>
    /// The hash of the next full block to compute, when <see cref="Match"/> looked for it in vain at this length; null
    /// otherwise. Sequences with equal values would compute the same block.
    /// </summary>
    public static UInt128? NextBlockHash(KvSequence sequence) =>
        sequence.NextHashBlock == sequence.CommittedBlocks && !sequence.IsPrivate ? sequence.NextHash : null;

    /// <summary>
    /// The hashes of the blocks that follow those that <paramref name="sequence"/> has committed, up to block
    /// <paramref name="end"/> of <paramref name="tokenIds"/>.
    /// </summary>
    public UInt128[] HashesFrom(KvSequence sequence, ReadOnlySpan<int> tokenIds, int end)
    {
        var hashes = new UInt128[Math.Max(0, end - sequence.CommittedBlocks)];
        var hash = _prefixes.HashOf(sequence.Tip);
        for (var i = 0; i < hashes.Length; i++)
        {
            var block = sequence.CommittedBlocks + i;
            hashes[i] = hash = _prefixes.HashAfter(hash, tokenIds.Slice(block * KvGroup.BlockTokens, KvGroup.BlockTokens));
        }

        return hashes;
    }

    /// <summary>New blocks per group that growing to <paramref name="length"/> positions takes.</summary>
    public static int BlocksToGrow(KvSequence sequence, int length) =>
        Math.Max(0, KvSequence.BlocksFor(length) - sequence.CoveredBlocks);

    /// <summary>
    /// Extends the block tables to <paramref name="length"/> positions, evicting cached blocks where needed; false, and
    /// nothing changes, when the blocks cannot be had.
    /// </summary>
    public bool TryReserve(KvSequence sequence, int length)
    {
        var need = BlocksToGrow(sequence, length);
        if (need == 0)
        {
            return true;
        }

        foreach (var pool in _pools)
        {
            if (pool.Available < need)
            {
                return false;
            }
        }

        var covered = sequence.CoveredBlocks + need;
        for (var g = 0; g < _pools.Length; g++)
        {
            if (sequence.Tables[g].Length < covered)
            {
                GrowTable(sequence, g, covered);
            }

            for (var b = sequence.CoveredBlocks; b < covered; b++)
            {
                var block = _pools[g].Rent();
                if (block == PrefixCache.None)
                {
                    _prefixes.EvictOldest(g);
                    block = _pools[g].Rent();
                }

                sequence.Tables[g][b] = block;
            }
        }

        sequence.CoveredBlocks = covered;
        return true;
    }

    /// <summary>
    /// The positions up to <paramref name="length"/> have been computed: full blocks enter the prefix cache, and blocks
    /// behind a window go.
    /// </summary>
    /// <param name="sequence">The sequence.</param>
    /// <param name="tokenIds">Token ids from position 0; at least <paramref name="length"/>.</param>
    /// <param name="length">The sequence's new length; its blocks were reserved.</param>
    public void Commit(KvSequence sequence, ReadOnlySpan<int> tokenIds, int length)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(length, sequence.Length);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(KvSequence.BlocksFor(length), sequence.CoveredBlocks);
        sequence.Length = length;
        while (!sequence.IsPrivate && (sequence.CommittedBlocks + 1) * KvGroup.BlockTokens <= length)
        {
            CommitBlock(sequence, tokenIds.Slice(sequence.CommittedBlocks * KvGroup.BlockTokens, KvGroup.BlockTokens));
        }

        if (_hasWindows)
        {
            Slide(sequence);
        }
    }

    /// <summary>
    /// Goes back to at most <paramref name="keep"/> positions. Never writes into a shared block again: inside a
    /// committed block, or where a window is no longer held, it goes back further.
    /// </summary>
    /// <returns>The positions kept.</returns>
    public int Truncate(KvSequence sequence, int keep)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(keep);

        // The token ids that follow may become others.
        sequence.NextHashBlock = PrefixCache.None;
        if (keep >= sequence.Length)
        {
            return sequence.Length;
        }

        if (keep >= sequence.CommittedBlocks * KvGroup.BlockTokens && HoldsWindowsAt(sequence, keep))
        {
            DropFrom(sequence, KvSequence.BlocksFor(keep));
            sequence.Length = keep;
            return keep;
        }

        FillPath(sequence, sequence.CommittedBlocks);
        Hold(sequence, LongestUsable(Math.Min(keep / KvGroup.BlockTokens, sequence.CommittedBlocks)));
        return sequence.Length;
    }

    /// <summary>Gives all blocks back; the sequence is empty and can be used again.</summary>
    public void Release(KvSequence sequence)
    {
        DropFrom(sequence, 0);
        _prefixes.MoveTip(sequence.Tip, sequence.Root);
        sequence.Tip = sequence.Root;
        sequence.Length = 0;
        sequence.CommittedBlocks = 0;
        sequence.IsPrivate = false;
        sequence.NextHashBlock = PrefixCache.None;
        Array.Clear(sequence.FirstHeld);
    }

    /// <summary>Ends a sequence. It must not be used again.</summary>
    /// <param name="sequence">The sequence.</param>
    /// <param name="forget">Whether what it alone has put into the prefix cache goes too, because its values are in doubt.</param>
    public void Close(KvSequence sequence, bool forget = false)
    {
        var tip = sequence.Tip;
        DropFrom(sequence, 0);
        if (forget)
        {
            // The root keeps a tip until the end, so that forgetting stops there.
            _prefixes.MoveTip(tip, sequence.Root);
            sequence.Tip = sequence.Root;
            _prefixes.Forget(tip);
        }

        _prefixes.DropTip(sequence.Tip);
        sequence.Tip = PrefixCache.None;
        sequence.Length = 0;
        sequence.CommittedBlocks = 0;
    }

    private void CommitBlock(KvSequence sequence, ReadOnlySpan<int> tokenIds)
    {
        var index = sequence.CommittedBlocks;
        var hash = sequence.NextHashBlock == index ? sequence.NextHash : _prefixes.HashAfter(sequence.Tip, tokenIds);
        var node = _prefixes.FindOrAdd(sequence.Tip, hash, tokenIds);
        if (node == PrefixCache.None)
        {
            sequence.IsPrivate = true;
            return;
        }

        var isFilled = false;
        for (var g = 0; g < _pools.Length; g++)
        {
            ref var own = ref sequence.Tables[g][index];
            var cached = _prefixes.Block(node, g);
            if (cached == PrefixCache.None)
            {
                _prefixes.SetBlock(node, g, own);
                isFilled = true;
            }
            else
            {
                _pools[g].AddReference(cached);
                _pools[g].Release(own);
                own = cached;
            }
        }

        _prefixes.MoveTip(sequence.Tip, node);
        sequence.Tip = node;
        sequence.CommittedBlocks++;
        if (isFilled)
        {
            Filled?.Invoke(hash);
        }
    }

    private void Slide(KvSequence sequence)
    {
        for (var g = 0; g < _pools.Length; g++)
        {
            var first = FirstNeeded(g, sequence.Length);
            ref var held = ref sequence.FirstHeld[g];
            for (; held < first; held++)
            {
                ref var block = ref sequence.Tables[g][held];
                if (block != PrefixCache.None)
                {
                    _pools[g].Release(block);
                    block = PrefixCache.None;
                }
            }
        }
    }

    /// <summary>The first block that a group keeps at a length.</summary>
    private int FirstNeeded(int group, int length) =>
        _windows[group] is { } window ? (int)(Math.Max(0, (long)length - window - WindowSlack) / KvGroup.BlockTokens) : 0;

    /// <summary>Whether every position that the next one attends to is held, at <paramref name="length"/> positions.</summary>
    public bool HoldsWindowsAt(KvSequence sequence, int length)
    {
        for (var g = 0; g < _pools.Length; g++)
        {
            if (_windows[g] is { } window && sequence.FirstHeld[g] * KvGroup.BlockTokens > Math.Max(0, (long)length - window + 1))
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>Fills the path's first <paramref name="blocks"/> nodes from the sequence's tip upward.</summary>
    private void FillPath(KvSequence sequence, int blocks)
    {
        EnsurePath(blocks);
        var node = sequence.Tip;
        for (var b = blocks - 1; b >= 0; b--)
        {
            _path[b] = node;
            node = _prefixes.Parent(node);
        }
    }

    /// <summary>The greatest part of the path, at most <paramref name="blocks"/>, whose last windows are resident.</summary>
    private int LongestUsable(int blocks)
    {
        if (!_hasWindows)
        {
            return blocks;
        }

        while (blocks > 0)
        {
            var missing = LastMissing(blocks);
            if (missing == PrefixCache.None)
            {
                return blocks;
            }

            // A shorter prefix needs it too, until it ends before it.
            blocks = missing;
        }

        return 0;
    }

    /// <summary>The last of the path's first <paramref name="blocks"/> that a window needs and that is not resident; -1 for none.</summary>
    private int LastMissing(int blocks)
    {
        var last = PrefixCache.None;
        for (var g = 0; g < _pools.Length; g++)
        {
            for (var b = blocks - 1; b >= FirstNeeded(g, blocks * KvGroup.BlockTokens) && b > last; b--)
            {
                if (_prefixes.Block(_path[b], g) == PrefixCache.None)
                {
                    last = b;
                }
            }
        }

        return last;
    }

    /// <summary>Makes the sequence hold exactly the path's first <paramref name="blocks"/> blocks (of windowed groups, the last).</summary>
    private void Hold(KvSequence sequence, int blocks)
    {
        for (var g = 0; g < _pools.Length; g++)
        {
            if (sequence.Tables[g].Length < blocks)
            {
                GrowTable(sequence, g, blocks);
            }

            var table = sequence.Tables[g];
            var first = FirstNeeded(g, blocks * KvGroup.BlockTokens);
            for (var b = first; b < blocks; b++)
            {
                if (table[b] == PrefixCache.None)
                {
                    table[b] = _prefixes.Block(_path[b], g);
                    _pools[g].AddReference(table[b]);
                }
            }

            for (var b = Math.Min(first, sequence.CoveredBlocks) - 1; b >= 0; b--)
            {
                if (table[b] != PrefixCache.None)
                {
                    _pools[g].Release(table[b]);
                    table[b] = PrefixCache.None;
                }
            }

            sequence.FirstHeld[g] = first;
        }

        var tip = blocks == 0 ? sequence.Root : _path[blocks - 1];
        DropFrom(sequence, blocks);
        _prefixes.MoveTip(sequence.Tip, tip);
        sequence.Tip = tip;
        sequence.CoveredBlocks = blocks;
        sequence.CommittedBlocks = blocks;
        sequence.Length = blocks * KvGroup.BlockTokens;
    }

    /// <summary>Releases the blocks from <paramref name="first"/> on, last position first: see <see cref="PrefixCache"/>.</summary>
    private void DropFrom(KvSequence sequence, int first)
    {
        for (var g = 0; g < _pools.Length; g++)
        {
            var table = sequence.Tables[g];
            for (var b = sequence.CoveredBlocks - 1; b >= Math.Max(first, sequence.FirstHeld[g]); b--)
            {
                if (table[b] != PrefixCache.None)
                {
                    _pools[g].Release(table[b]);
                    table[b] = PrefixCache.None;
                }
            }
        }

        sequence.CoveredBlocks = Math.Min(sequence.CoveredBlocks, first);
    }

    private static void GrowTable(KvSequence sequence, int group, int blocks)
    {
        var old = sequence.Tables[group];
        var grown = new int[Math.Max(blocks, old.Length * 2)];
        old.CopyTo(grown, 0);
        grown.AsSpan(old.Length).Fill(PrefixCache.None);
        sequence.Tables[group] = grown;
    }

    private void EnsurePath(int blocks)
    {
        if (_path.Length < blocks)
        {
            Array.Resize(ref _path, Math.Max(blocks, _path.Length * 2));
        }
    }

    private int ComputeLongestSequence()
    {
        var longest = long.MaxValue;
        for (var g = 0; g < _pools.Length; g++)
        {
            if (_windows[g] is null || _pools[g].Total < PeakBlocks(g, int.MaxValue, chunk: 1))
            {
                longest = Math.Min(longest, (long)_pools[g].Total * KvGroup.BlockTokens);
            }
        }

        return (int)Math.Min(longest, int.MaxValue);
    }

    private int Sum(Func<BlockPool, int> count)
    {
        var sum = 0;
        foreach (var pool in _pools)
        {
            sum += count(pool);
        }

        return sum;
    }
}
