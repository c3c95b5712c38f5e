using System.Collections.Immutable;
using Parallax.Contracts.Identifiers;

namespace Parallax.KvIndex.Events;

/// <summary>What has changed in the KV blocks that one worker has cached, since its batch before.</summary>
/// <param name="Incarnation">The run of the worker: a later one is larger, and its numbers begin anew.</param>
/// <param name="Sequence">1, 2, ...; a batch that says nothing (<see cref="IsPulse"/>) repeats the last number.</param>
/// <param name="Begins">All that is held follows from this batch on: who has missed something may begin here.</param>
/// <param name="Shards">At most <see cref="BlockLimits.MaxShards"/>, each once.</param>
public sealed record BlockBatch(long Incarnation, long Sequence, bool Begins, ImmutableArray<ShardBlocks> Shards)
{
    /// <summary>Says only that nothing has changed since the number that it repeats.</summary>
    public bool IsPulse => !Begins && Shards.IsEmpty;
}

/// <summary>The changes at one shard: first <paramref name="Clear"/>, then <paramref name="Evicted"/>, then <paramref name="Added"/>.</summary>
/// <param name="ShardId">Names the shard on its worker.</param>
/// <param name="Range">Its layers.</param>
/// <param name="Clear">Nothing of what was announced of this shard is held any more.</param>
/// <param name="Evicted">Chained hashes of blocks that are gone.</param>
/// <param name="Added">Of blocks that are held. A worker holds a block only together with all blocks before it in its chain.</param>
public sealed record ShardBlocks(string ShardId, LayerRange Range, bool Clear, ImmutableArray<UInt128> Evicted, ImmutableArray<UInt128> Added);
