using System.Runtime.InteropServices;
using Parallax.Runtime.Execution;

namespace Parallax.Runtime.KvCache;

/// <summary>
/// The tree of known prefixes: a node is one full block of 16 token ids after its parent's, with the physical block
/// that each KV group has for it, or -1. Nodes are found by their chained hash and a hit compares token ids and parent,
/// so that a collision of hashes can hide a prefix but never give a wrong one.
/// </summary>
/// <remarks>
/// Sessions release their blocks last position first and hold every full-attention block of their path, so that the
/// oldest cached block of a full-attention group is always a leaf: leaves go before parents at no cost. Without its
/// full-attention block a node is of no use and goes as a whole. A windowed group only loses the block: later prefixes,
/// whose window no longer reaches it, stay usable.
/// </remarks>
internal sealed class PrefixCache
{
    internal const int None = -1;

    private readonly BlockPool[] _pools;
    private readonly int?[] _windows;
    private readonly BlockHasher _hasher;
    private readonly Func<string, UInt128> _rootHash;
    private readonly Dictionary<UInt128, int> _byHash;
    private readonly Dictionary<string, int> _roots = new(StringComparer.Ordinal);
    private readonly int _hollowLimit;
    private Node[] _nodes;
    private int[] _tokens;
    private int[] _blocks;
    private int _nodeCount;
    private int _freeNode = None;
    private int _hollow;

    /// <param name="pools">The pool of each KV group.</param>
    /// <param name="windows">The attention window of each KV group; null for full attention.</param>
    /// <param name="hasher">Hash of a block.</param>
    /// <param name="rootHash">Hash that a tenant's chains start from.</param>
    public PrefixCache(BlockPool[] pools, int?[] windows, BlockHasher hasher, Func<string, UInt128> rootHash)
    {
        _pools = pools;
        _windows = windows;
        _hasher = hasher;
        _rootHash = rootHash;
        var capacity = 0;
        var total = 0;
        for (var g = 0; g < pools.Length; g++)
        {
            total += pools[g].Total;
            capacity = Math.Max(capacity, pools[g].Total);
        }

        // Nodes without any block exist only above a window's blocks, where no group has full attention.
        _hollowLimit = 4 * total;
        capacity += 8;
        _byHash = new Dictionary<UInt128, int>(capacity);
        _nodes = new Node[capacity];
        _tokens = new int[capacity * KvGroup.BlockTokens];
        _blocks = new int[capacity * pools.Length];
    }

    /// <summary>Is told which blocks come and go; null: nobody is. Set it while the tree is empty.</summary>
    public IPrefixCacheEvents? Events { get; set; }

    /// <summary>Nodes in the tree, roots included.</summary>
    internal int Count { get; private set; }

    /// <summary>The root of a tenant's tree, with one tip; pair it with <see cref="MoveTip"/> or <see cref="DropTip"/>.</summary>
    public int AcquireRoot(string salt)
    {
        if (!_roots.TryGetValue(salt, out var root))
        {
            root = AddNode(None, _rootHash(salt));
            _nodes[root].Salt = salt;
            _roots.Add(salt, root);
        }

        _nodes[root].Tips++;
        return root;
    }

    /// <summary>The hash of the block <paramref name="tokenIds"/> after <paramref name="node"/>.</summary>
    public UInt128 HashAfter(int node, ReadOnlySpan<int> tokenIds) => _hasher(_nodes[node].Hash, tokenIds);

    /// <summary>The hash of the block <paramref name="tokenIds"/> after the block with <paramref name="hash"/>.</summary>
    public UInt128 HashAfter(UInt128 hash, ReadOnlySpan<int> tokenIds) => _hasher(hash, tokenIds);

    /// <summary>The hash of <paramref name="node"/>.</summary>
    public UInt128 HashOf(int node) => _nodes[node].Hash;

    /// <summary>Blocks from the root to <paramref name="node"/>, itself included.</summary>
    public int DepthOf(int node) => _nodes[node].Depth;

    /// <summary>The node with <paramref name="hash"/>; -1 when there is none.</summary>
    public int FindHash(UInt128 hash) => _byHash.TryGetValue(hash, out var node) ? node : None;

    /// <summary>The tenant whose tree <paramref name="node"/> is in.</summary>
    public string SaltOf(int node)
    {
        while (_nodes[node].Parent != None)
        {
            node = _nodes[node].Parent;
        }

        return _nodes[node].Salt!;
    }

    /// <summary>Whether others have been given the block, or it came from them.</summary>
    public bool IsShared(int node) => _nodes[node].IsShared;

    /// <summary>Notes that others have the block.</summary>
    public void MarkShared(int node) => _nodes[node].IsShared = true;

    /// <summary>Others may have nothing any more.</summary>
    public void MarkAllUnshared()
    {
        foreach (var node in _byHash.Values)
        {
            _nodes[node].IsShared = false;
        }
    }

    /// <summary>Hashes of the nodes that others have not been given, parents before children.</summary>
    public UInt128[] Unshared() =>
    [
        .. _byHash.Values.Where(node => _nodes[node] is { IsShared: false, Resident: > 0 })
            .OrderBy(node => _nodes[node].Depth).Select(node => _nodes[node].Hash),
    ];

    /// <summary>The node of <paramref name="tokenIds"/> after <paramref name="parent"/>; -1 when unknown.</summary>
    public int Find(int parent, UInt128 hash, ReadOnlySpan<int> tokenIds) =>
        _byHash.TryGetValue(hash, out var node) && Is(node, parent, tokenIds) ? node : None;

    /// <summary>As <see cref="Find"/>, adding it when unknown; -1 when another prefix has the same hash.</summary>
    public int FindOrAdd(int parent, UInt128 hash, ReadOnlySpan<int> tokenIds)
    {
        if (_byHash.TryGetValue(hash, out var found))
        {
            return Is(found, parent, tokenIds) ? found : None;
        }

        var node = AddNode(parent, hash);
        tokenIds.CopyTo(TokensOf(node));
        _byHash.Add(hash, node);
        _nodes[parent].Children++;
        _hollow++;
        return node;
    }

    /// <summary>The node before <paramref name="node"/>; -1 for a root.</summary>
    public int Parent(int node) => _nodes[node].Parent;

    /// <summary>The physical block of <paramref name="node"/> in <paramref name="group"/>; -1 when not resident.</summary>
    public int Block(int node, int group) => _blocks[(node * _pools.Length) + group];

    /// <summary>Gives a used block to <paramref name="node"/>, which has none in that group.</summary>
    public void SetBlock(int node, int group, int block)
    {
        _pools[group].Attach(block, node);
        _blocks[(node * _pools.Length) + group] = block;
        if (_nodes[node].Resident++ == 0)
        {
            _hollow--;
        }

        if (Events is { } events && _nodes[node].Resident == _pools.Length)
        {
            events.OnCached(_nodes[node].Hash);
        }
    }

    /// <summary>A sequence's deepest node changes; nodes that nobody needs any more go.</summary>
    public void MoveTip(int from, int to)
    {
        if (from != to)
        {
            _nodes[to].Tips++;
            DropTip(from);
        }
    }

    /// <summary>A sequence ends at <paramref name="node"/> no longer.</summary>
    public void DropTip(int node)
    {
        _nodes[node].Tips--;
        Prune(node);
    }

    /// <summary>Frees the cached block of <paramref name="group"/> that was released longest ago; false when it has none.</summary>
    public bool EvictOldest(int group)
    {
        var block = _pools[group].OldestCached;
        if (block == None)
        {
            return false;
        }

        var node = _pools[group].NodeOf(block);
        if (_windows[group] is null)
        {
            RemoveLeaf(node);
        }
        else
        {
            Strip(node, group);
            Prune(node);
            for (var g = 0; _hollow > _hollowLimit && g < _pools.Length; g++)
            {
                while (_hollow > _hollowLimit && _pools[g].OldestCached != None)
                {
                    var next = _pools[g].NodeOf(_pools[g].OldestCached);
                    Strip(next, g);
                    Prune(next);
                }
            }
        }

        return true;
    }

    /// <summary>Drops <paramref name="node"/> and the nodes above it as far as nobody holds or continues them.</summary>
    public void Forget(int node)
    {
        while (node != None && _nodes[node] is { Resident: > 0, Children: 0, Tips: 0 } && IsUnreferenced(node))
        {
            node = RemoveLeaf(node);
        }
    }

    /// <summary>Token ids of a node.</summary>
    internal Span<int> TokensOf(int node) => _tokens.AsSpan(node * KvGroup.BlockTokens, KvGroup.BlockTokens);

    /// <summary>Whether the block of a hash is resident in all groups (tests).</summary>
    internal bool IsComplete(UInt128 hash) => _byHash.TryGetValue(hash, out var node) && _nodes[node].Resident == _pools.Length;

    /// <summary>Blocks that are resident in all groups (tests).</summary>
    internal int CompleteCount => _byHash.Keys.Count(IsComplete);

    /// <summary>Checks the tree against the pools (tests).</summary>
    internal void CheckInvariants()
    {
        var live = new HashSet<int>(_roots.Values);
        live.UnionWith(_byHash.Values);
        var children = new Dictionary<int, int>();
        var hollow = 0;
        foreach (var node in live)
        {
            var resident = 0;
            for (var g = 0; g < _pools.Length; g++)
            {
                var block = Block(node, g);
                resident += block == None ? 0 : 1;
                Require(block == None || _pools[g].NodeOf(block) == node, node, "has a block of another node");
                Require(_nodes[node].Parent == None || _windows[g] is not null || block != None, node, "lacks its full-attention block");
            }

            Require(resident == _nodes[node].Resident, node, "miscounts its blocks");
            var parent = _nodes[node].Parent;
            if (parent != None)
            {
                Require(live.Contains(parent), node, "outlives its parent");
                ref var count = ref CollectionsMarshal.GetValueRefOrAddDefault(children, parent, out _);
                count++;
                hollow += resident == 0 ? 1 : 0;
            }
        }

        foreach (var node in live)
        {
            Require(children.GetValueOrDefault(node) == _nodes[node].Children, node, "miscounts its children");
            Require(_nodes[node].Tips > 0 || _nodes[node].Resident > 0 || _nodes[node].Children > 0, node, "is of no use");
        }

        Require(live.Count == Count && hollow == _hollow, None, $"of {Count} or {_hollow} hollow ones are missing");

        static void Require(bool condition, int node, string what)
        {
            if (!condition)
            {
                throw new InvalidOperationException($"prefix node {node} {what}");
            }
        }
    }

    private bool Is(int node, int parent, ReadOnlySpan<int> tokenIds) =>
        _nodes[node].Parent == parent && tokenIds.SequenceEqual(TokensOf(node));

    private bool IsUnreferenced(int node)
    {
        for (var g = 0; g < _pools.Length; g++)
        {
            var block = Block(node, g);
            if (block != None && _pools[g].References(block) != 0)
            {
                return false;
            }
        }

        return true;
    }

    private void Strip(int node, int group)
    {
        ref var block = ref _blocks[(node * _pools.Length) + group];
        _pools[group].Evict(block);
        block = None;
        if (Events is { } events && _nodes[node].Resident == _pools.Length)
        {
            events.OnEvicted(_nodes[node].Hash);
        }

        if (--_nodes[node].Resident == 0)
        {
            _hollow++;
        }
    }

    /// <summary>Removes a node without children; returns the nearest node above that stays.</summary>
    private int RemoveLeaf(int node)
    {
        if (_nodes[node].Children != 0)
        {
            throw new InvalidOperationException($"prefix node {node} still has children: leaves are evicted before parents");
        }

        for (var g = 0; g < _pools.Length; g++)
        {
            if (Block(node, g) != None)
            {
                Strip(node, g);
            }
        }

        return Prune(node);
    }

    /// <summary>
    /// Removes <paramref name="node"/>, and then its parent, and so on, while it has no block, child or tip; returns the
    /// first that stays, -1 when the root went too.
    /// </summary>
    private int Prune(int node)
    {
        while (node != None && _nodes[node] is { Resident: 0, Children: 0, Tips: 0 })
        {
            var parent = _nodes[node].Parent;
            if (parent == None)
            {
                _roots.Remove(_nodes[node].Salt!);
            }
            else
            {
                _byHash.Remove(_nodes[node].Hash);
                _nodes[parent].Children--;
                _hollow--;
            }

            _nodes[node] = new Node { Parent = _freeNode };
            _freeNode = node;
            Count--;
            node = parent;
        }

        return node;
    }

    private int AddNode(int parent, UInt128 hash)
    {
        int node;
        if (_freeNode != None)
        {
            node = _freeNode;
            _freeNode = _nodes[node].Parent;
        }
        else
        {
            node = _nodeCount++;
            if (node == _nodes.Length)
            {
                Array.Resize(ref _nodes, node * 2);
                Array.Resize(ref _tokens, node * 2 * KvGroup.BlockTokens);
                Array.Resize(ref _blocks, node * 2 * _pools.Length);
            }
        }

        _nodes[node] = new Node { Parent = parent, Hash = hash, Depth = parent == None ? 0 : _nodes[parent].Depth + 1 };
        _blocks.AsSpan(node * _pools.Length, _pools.Length).Fill(None);
        Count++;
        return node;
    }

    /// <summary>A node's bookkeeping; a removed node's parent is the next free node.</summary>
    private struct Node
    {
        public UInt128 Hash;
        public string? Salt;
        public int Parent;
        public int Children;
        public int Tips;
        public int Resident;
        public int Depth;
        public bool IsShared;
    }
}
