using Parallax.Runtime.Execution;

namespace Parallax.Runtime.KvCache;

/// <summary>
/// What one session holds of the KV cache: a block table per group and its place in the tree of prefixes. Changed only
/// by <see cref="PagedKvCache"/>.
/// </summary>
internal sealed class KvSequence
{
    internal KvSequence(int root, int groups, int blocks)
    {
        Root = root;
        Tip = root;
        Tables = new int[groups][];
        FirstHeld = new int[groups];
        for (var g = 0; g < groups; g++)
        {
            Tables[g] = new int[blocks];
            Array.Fill(Tables[g], PrefixCache.None);
        }
    }

    /// <summary>One table per group: entry b is the block of positions [16b, 16b+16), or -1 when not held.</summary>
    public int[][] Tables { get; }

    /// <summary>Leading positions whose keys and values are in the cache.</summary>
    public int Length { get; internal set; }

    /// <summary>Leading blocks that the tables cover: those of <see cref="Length"/> and, during a step, the reserved ones.</summary>
    public int CoveredBlocks { get; internal set; }

    /// <summary>Leading full blocks that are nodes of the prefix tree.</summary>
    public int CommittedBlocks { get; internal set; }

    /// <summary>Whether any block is held.</summary>
    public bool HoldsBlocks => CoveredBlocks > 0;

    /// <summary>The node of the empty prefix.</summary>
    internal int Root { get; }

    /// <summary>The node of the last committed block.</summary>
    internal int Tip { get; set; }

    /// <summary>Per group, the first block that may be held: those before it slid out of the window.</summary>
    internal int[] FirstHeld { get; }

    /// <summary>Set when a block's hash collides with another prefix's: from there on blocks stay private.</summary>
    internal bool IsPrivate { get; set; }

    /// <summary>The hash of block <see cref="NextHashBlock"/>, kept so that looking for it again costs no hashing.</summary>
    internal UInt128 NextHash { get; set; }

    /// <summary>The block that <see cref="NextHash"/> belongs to; -1 for none.</summary>
    internal int NextHashBlock { get; set; } = -1;

    /// <summary>Blocks needed for <paramref name="positions"/> positions.</summary>
    internal static int BlocksFor(int positions) => (int)(((long)positions + KvGroup.BlockTokens - 1) / KvGroup.BlockTokens);
}
