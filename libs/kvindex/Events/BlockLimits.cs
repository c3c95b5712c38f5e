namespace Parallax.KvIndex.Events;

/// <summary>Limits that announcers and indexes agree in.</summary>
public static class BlockLimits
{
    /// <summary>Hashes of a batch at most, all shards and both lists together: 32 KiB.</summary>
    public const int MaxHashes = 2048;

    /// <summary>Shards of a batch, and of a worker, at most.</summary>
    public const int MaxShards = 64;

    /// <summary>Characters of a shard's id at most.</summary>
    public const int MaxShardId = 128;

    /// <summary>Layers of a model at most: no range ends beyond.</summary>
    public const int MaxLayers = 1 << 16;

    /// <summary>Bytes of a serialised batch at most.</summary>
    public const int MaxBytes = 48 * 1024;
}
