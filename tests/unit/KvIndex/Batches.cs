using System.Collections.Immutable;
using Parallax.Contracts.Identifiers;
using Parallax.KvIndex.Events;
using Parallax.KvIndex.Index;

namespace Parallax.UnitTests.KvIndex;

/// <summary>Batches and questions in few words.</summary>
internal static class Batches
{
    public static readonly LayerRange Range = new(0, 12);

    /// <summary>A chain of hashes.</summary>
    public static UInt128[] Chain(int length, int number = 0) => [.. Enumerable.Range(0, length).Select(i => Hash(number, i))];

    public static UInt128 Hash(int chain, int block) => new((ulong)block, ((ulong)chain << 32) + (ulong)block + 1);

    public static BlockBatch Begins(long sequence, params ShardBlocks[] shards) => new(1, sequence, Begins: true, [.. shards]);

    public static BlockBatch Batch(long sequence, params ShardBlocks[] shards) => new(1, sequence, Begins: false, [.. shards]);

    public static ShardBlocks Added(params UInt128[] hashes) => new("s1", Range, Clear: false, [], [.. hashes]);

    public static ShardBlocks Evicted(params UInt128[] hashes) => new("s1", Range, Clear: false, [.. hashes], []);

    public static ShardRef Of(string worker, string shard = "s1") => new(worker, shard, Range);

    public static ImmutableArray<UInt128> Hashes(this BlockBatch batch) => [.. batch.Shards.SelectMany(static shard => shard.Added)];
}
