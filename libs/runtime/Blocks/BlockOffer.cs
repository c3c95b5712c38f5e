using System.Collections.Immutable;

namespace Parallax.Runtime.Blocks;

/// <summary>One filled block of a shard: a part for each of its layers, and outputs of the last where they are kept.</summary>
/// <param name="Tenant">The tenant salt that its chain starts from: whose it is.</param>
/// <param name="Hash">The block's hash.</param>
/// <param name="Parent">The hash of the block before it, or of the chain's root.</param>
/// <param name="Index">Its place in the chain: it holds positions [16 index, 16 index + 16).</param>
/// <param name="TokenIds">Its 16 token ids.</param>
/// <param name="Parts">Keys and values of every layer in order, then the outputs, if any.</param>
public sealed record BlockOffer(
    string Tenant, UInt128 Hash, UInt128 Parent, int Index, ImmutableArray<int> TokenIds, ImmutableArray<BlockPart> Parts)
{
    /// <summary>Bytes of all parts.</summary>
    public long Bytes => Parts.Sum(static part => (long)part.Bytes.Length);
}
