using CsCheck;
using Google.Protobuf;
using Parallax.Contracts.V1;
using Parallax.KvIndex.Events;
using static Parallax.UnitTests.KvIndex.Batches;

namespace Parallax.UnitTests.KvIndex;

public sealed class BlockWireTests
{
    [Fact]
    public void Batches_ComeBackAsTheyWere()
    {
        var batch = new BlockBatch(
            long.MaxValue, 7, Begins: true, [Added(Chain(5)) with { Evicted = [UInt128.MaxValue, UInt128.Zero] }, Added() with { ShardId = "s2", Clear = true }]);
        var back = BlockWire.Read(BlockWire.Write(batch), out var problem)!;
        Assert.Equal("", problem);
        Assert.Equal((batch.Incarnation, batch.Sequence, batch.Begins), (back.Incarnation, back.Sequence, back.Begins));
        Assert.Equal(2, back.Shards.Length);
        for (var i = 0; i < 2; i++)
        {
            Assert.Equal((batch.Shards[i].ShardId, batch.Shards[i].Range, batch.Shards[i].Clear), (back.Shards[i].ShardId, back.Shards[i].Range, back.Shards[i].Clear));
            Assert.Equal(batch.Shards[i].Added, back.Shards[i].Added);
            Assert.Equal(batch.Shards[i].Evicted, back.Shards[i].Evicted);
        }
    }

    [Fact]
    public void TheLargestBatch_IsWithinTheBound()
    {
        var shards = Enumerable.Range(0, BlockLimits.MaxShards).Select(i => Added(Chain(BlockLimits.MaxHashes / BlockLimits.MaxShards, i)) with { ShardId = new string('x', 126) + $"{i:00}" });
        Assert.NotNull(BlockWire.Read(BlockWire.Write(Batch(1, [.. shards])), out _));
    }

    [Theory]
    [InlineData("version 2", "version")]
    [InlineData("no incarnation", "number")]
    [InlineData("no sequence", "number")]
    [InlineData("too many hashes", "2048 blocks")]
    [InlineData("half a hash", "no sense")]
    [InlineData("no layers", "no sense")]
    [InlineData("no id", "no sense")]
    [InlineData("the same shard", "twice")]
    [InlineData("too many shards", "65 shards")]
    [InlineData("not readable", "readable")]
    [InlineData("too long", "bound of 49152")]
    public void WhatMakesNoSense_IsRefusedWithTheReason(string what, string expected)
    {
        var events = new BlockEvents { Version = 1, Incarnation = 1, Sequence = 1 };
        var shard = new Parallax.Contracts.V1.ShardBlocks { ShardId = "s1", LayerEnd = 4 };
        events.Shards.Add(shard);
        switch (what)
        {
            case "version 2":
                events.Version = 2;
                break;
            case "no incarnation":
                events.Incarnation = 0;
                break;
            case "no sequence":
                events.Sequence = ulong.MaxValue;
                break;
            case "too many hashes":
                shard.Added = ByteString.CopyFrom(new byte[16 * 2049]);
                break;
            case "half a hash":
                shard.Evicted = ByteString.CopyFrom(new byte[24]);
                break;
            case "no layers":
                shard.LayerStart = 4;
                break;
            case "no id":
                shard.ShardId = "";
                break;
            case "the same shard":
                events.Shards.Add(shard.Clone());
                break;
            case "too many shards":
                events.Shards.AddRange(Enumerable.Range(0, 64).Select(i => new Parallax.Contracts.V1.ShardBlocks { ShardId = $"t{i}", LayerEnd = 1 }));
                break;
        }

        byte[] bytes = what switch
        {
            "not readable" => [0xff, 0xff],
            "too long" => new byte[BlockLimits.MaxBytes + 1],
            _ => events.ToByteArray(),
        };
        Assert.Null(BlockWire.Read(bytes, out var problem));
        Assert.Contains(expected, problem, StringComparison.Ordinal);
    }

    [Fact]
    public void AnyBytes_AreABatchOrRefused() =>
        Gen.Byte.Array[0, 200].Sample(static bytes => Assert.Equal(BlockWire.Read(bytes, out var problem) is null, problem.Length > 0), iter: 2000);

    [Fact]
    public void Asks_NameARun()
    {
        Assert.Equal(17, BlockWire.ReadAsk(BlockWire.WriteAsk(17)));
        Assert.Null(BlockWire.ReadAsk(new byte[65]));
        Assert.Null(BlockWire.ReadAsk([0xff]));
        Assert.Null(BlockWire.ReadAsk(new BlockAsk { Version = 2, Incarnation = 1 }.ToByteArray()));
    }
}
