using System.Buffers.Binary;
using System.Collections.Immutable;
using Google.Protobuf;
using Parallax.Contracts.Identifiers;
using Parallax.Contracts.V1;

namespace Parallax.KvIndex.Events;

/// <summary>Batches and what asks for them as bytes. What is read comes from anywhere and is checked. Pure.</summary>
public static class BlockWire
{
    private const uint Version = 1;
    private const int HashBytes = 16;
    private const int MaxAskBytes = 64;

    /// <summary>A batch in bytes, at most <see cref="BlockLimits.MaxBytes"/> of them.</summary>
    public static byte[] Write(BlockBatch batch)
    {
        ArgumentNullException.ThrowIfNull(batch);
        var events = new BlockEvents
        {
            Version = Version,
            Incarnation = (ulong)batch.Incarnation,
            Sequence = (ulong)batch.Sequence,
            Begins = batch.Begins,
        };
        foreach (var shard in batch.Shards)
        {
            events.Shards.Add(new Contracts.V1.ShardBlocks
            {
                ShardId = shard.ShardId,
                LayerStart = shard.Range.Start,
                LayerEnd = shard.Range.End,
                Clear = shard.Clear,
                Evicted = ToBytes(shard.Evicted),
                Added = ToBytes(shard.Added),
            });
        }

        return events.ToByteArray();
    }

    /// <summary>Reads a batch.</summary>
    /// <param name="bytes">From anywhere.</param>
    /// <param name="problem">Why it is none, for people; empty when it is one.</param>
    /// <returns>Null when it is none, or of a version that this program does not know.</returns>
    public static BlockBatch? Read(ReadOnlySpan<byte> bytes, out string problem)
    {
        if (bytes.Length > BlockLimits.MaxBytes)
        {
            problem = $"it has {bytes.Length} bytes, above the bound of {BlockLimits.MaxBytes}";
            return null;
        }

        BlockEvents events;
        try
        {
            events = BlockEvents.Parser.ParseFrom(bytes);
        }
        catch (InvalidProtocolBufferException)
        {
            problem = "it is not readable";
            return null;
        }

        problem = events.Version != Version ? $"it is of version {events.Version}; this program reads version {Version}"
            : events.Incarnation is 0 or > long.MaxValue || events.Sequence is 0 or > long.MaxValue ? "it has no number that there is"
            : events.Shards.Count > BlockLimits.MaxShards ? $"it names {events.Shards.Count} shards, above the bound of {BlockLimits.MaxShards}"
            : events.Shards.Sum(static shard => (long)shard.Added.Length + shard.Evicted.Length) > BlockLimits.MaxHashes * HashBytes ? $"it names more than {BlockLimits.MaxHashes} blocks"
            : events.Shards.DistinctBy(static shard => shard.ShardId).Count() != events.Shards.Count ? "it names a shard twice"
            : events.Shards.Any(static shard => !IsSound(shard)) ? "a shard's id, layers or hashes make no sense"
            : "";
        return problem.Length > 0 ? null : new BlockBatch(
            (long)events.Incarnation,
            (long)events.Sequence,
            events.Begins,
            [.. events.Shards.Select(static shard => new ShardBlocks(
                shard.ShardId, new LayerRange(shard.LayerStart, shard.LayerEnd), shard.Clear, ToHashes(shard.Evicted.Span), ToHashes(shard.Added.Span)))]);
    }

    /// <summary>What an index says that has missed something of a worker's run.</summary>
    public static byte[] WriteAsk(long incarnation) => new BlockAsk { Version = Version, Incarnation = (ulong)incarnation }.ToByteArray();

    /// <summary>The run of the worker that is asked; null when it is no such message.</summary>
    public static long? ReadAsk(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length > MaxAskBytes)
        {
            return null;
        }

        try
        {
            return BlockAsk.Parser.ParseFrom(bytes) is { Version: Version, Incarnation: <= long.MaxValue } ask ? (long)ask.Incarnation : null;
        }
        catch (InvalidProtocolBufferException)
        {
            return null; // refused and counted by the caller
        }
    }

    private static bool IsSound(Contracts.V1.ShardBlocks shard) =>
        shard.ShardId.Length is > 0 and <= BlockLimits.MaxShardId
        && shard.LayerStart >= 0 && shard.LayerStart < shard.LayerEnd && shard.LayerEnd <= BlockLimits.MaxLayers
        && shard.Added.Length % HashBytes == 0 && shard.Evicted.Length % HashBytes == 0;

    private static ByteString ToBytes(ImmutableArray<UInt128> hashes)
    {
        var bytes = new byte[hashes.Length * HashBytes];
        for (var i = 0; i < hashes.Length; i++)
        {
            BinaryPrimitives.WriteUInt128LittleEndian(bytes.AsSpan(i * HashBytes), hashes[i]);
        }

        return UnsafeByteOperations.UnsafeWrap(bytes);
    }

    private static ImmutableArray<UInt128> ToHashes(ReadOnlySpan<byte> bytes)
    {
        var hashes = ImmutableArray.CreateBuilder<UInt128>(bytes.Length / HashBytes);
        for (; !bytes.IsEmpty; bytes = bytes[HashBytes..])
        {
            hashes.Add(BinaryPrimitives.ReadUInt128LittleEndian(bytes));
        }

        return hashes.MoveToImmutable();
    }
}
