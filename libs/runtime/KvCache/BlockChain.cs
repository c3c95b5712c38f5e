using Parallax.Runtime.Execution;

namespace Parallax.Runtime.KvCache;

/// <summary>The hashes by which prefix caches know a prompt's blocks, for whoever asks where they are cached.</summary>
public static class BlockChain
{
    /// <summary>Positions of a block.</summary>
    public const int BlockTokens = KvGroup.BlockTokens;

    /// <summary>Chained hashes of the leading full blocks of <paramref name="tokenIds"/>, equal on every machine.</summary>
    /// <param name="numericClass">What the blocks' bits depend on besides token ids.</param>
    /// <param name="salt">Separates tenants, as the session's Open says it.</param>
    /// <param name="tokenIds">The prompt.</param>
    /// <param name="mostBlocks">Blocks at most.</param>
    public static UInt128[] Of(NumericClass numericClass, string salt, ReadOnlySpan<int> tokenIds, int mostBlocks)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(mostBlocks);
        var chain = new UInt128[Math.Min(tokenIds.Length / BlockTokens, mostBlocks)];
        var parent = BlockHash.Root(numericClass, salt);
        for (var i = 0; i < chain.Length; i++)
        {
            chain[i] = parent = BlockHash.Chain(parent, tokenIds.Slice(i * BlockTokens, BlockTokens));
        }

        return chain;
    }
}
