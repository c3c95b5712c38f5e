namespace Parallax.Runtime.KvCache;

/// <summary>
/// Is told which blocks a shard's prefix cache has: a block counts while all KV groups of the shard have it. Called on the
/// engine's thread in the middle of a step: returns at once, throws nothing, calls nothing of the engine.
/// </summary>
public interface IPrefixCacheEvents
{
    /// <summary>A block has been computed for all groups and can be found.</summary>
    /// <param name="hash">Its chained hash.</param>
    void OnCached(UInt128 hash);

    /// <summary>A block that was cached has been given up, in one group at least.</summary>
    /// <param name="hash">Its chained hash.</param>
    void OnEvicted(UInt128 hash);
}
