namespace Parallax.Runtime.Blocks;

/// <summary>
/// Where a part is kept and found. The layer is no part of the hash, so that what a stage [0,12) wrote helps a stage [0,8).
/// </summary>
/// <param name="Hash">The block's chained hash (<c>BlockHash</c>): it fixes tenant, weights, numeric class and all token ids up to the block's end.</param>
/// <param name="Kind">Keys and values, or outputs.</param>
/// <param name="Layer">The layer's absolute index.</param>
public readonly record struct BlockPartAddress(UInt128 Hash, BlockPartKind Kind, int Layer);
