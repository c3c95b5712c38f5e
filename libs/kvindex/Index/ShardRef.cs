using Parallax.Contracts.Identifiers;

namespace Parallax.KvIndex.Index;

/// <summary>Names a shard of a worker: a stage of a path.</summary>
/// <param name="WorkerId">The worker.</param>
/// <param name="ShardId">The shard on it.</param>
/// <param name="Range">Its layers.</param>
public readonly record struct ShardRef(string WorkerId, string ShardId, LayerRange Range);
