namespace Parallax.Worker.Gpu.Shards;

/// <summary>Where a shard is in its life; it only goes forward, and then it is gone.</summary>
public enum ShardPhase
{
    /// <summary>Its weights are being read.</summary>
    Loading,

    /// <summary>It takes sessions.</summary>
    Serving,

    /// <summary>It takes no new ones; those that run may end.</summary>
    Draining,
}
