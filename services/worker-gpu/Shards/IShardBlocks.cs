using Parallax.Contracts.Identifiers;
using Parallax.Runtime.KvCache;

namespace Parallax.Worker.Gpu.Shards;

/// <summary>Is told which KV blocks the shards of a worker have cached. Thread-safe.</summary>
internal interface IShardBlocks
{
    /// <summary>A shard is about to serve.</summary>
    /// <param name="shardId">Names it on the worker.</param>
    /// <param name="range">Its layers.</param>
    /// <param name="mostBlocks">Blocks that it can have cached at most.</param>
    /// <returns>What its engine is to tell; null when nobody wants to know.</returns>
    IPrefixCacheEvents? Open(string shardId, LayerRange range, int mostBlocks);

    /// <summary>A shard is no more; does nothing for one that was never opened.</summary>
    void Close(string shardId);
}
