using Parallax.Contracts.Identifiers;
using Parallax.Runtime.Execution;
using Parallax.Worker.Gpu;
using Parallax.Worker.Gpu.Shards;

namespace Parallax.UnitTests.Worker;

public class ShardLookupTests
{
    private static readonly NumericClass Bf16 = new(1, "aaaabbbbccccdddd", ResidualPrecision.BF16, "cpu");
    private static readonly NumericClass F32 = Bf16 with { Residual = ResidualPrecision.F32 };

    private readonly Shard[] _serving =
    [
        Shard("s1", "demo", 8, new LayerRange(0, 8), Bf16),
        Shard("s2", "demo", 8, new LayerRange(0, 4), Bf16),
        Shard("s3", "other", 4, new LayerRange(2, 4), F32),
        Shard("s4", "demo", 8, new LayerRange(0, 4), F32),
    ];

    [Theory]
    [InlineData("demo", "", null, null, "s1")]
    [InlineData("demo", "aaaabbbbccccdddd", null, null, "s1")]
    [InlineData("demo", "", 0, 4, "s4")] // the last one of two
    [InlineData("demo", "", 0, 8, "s1")]
    [InlineData("other", "", 2, 4, "s3")]
    public void Find_WhatIsServed_GivesItsShard(string model, string hash, int? start, int? end, string id)
    {
        var found = ShardLookup.Find(_serving, new ShardQuery(model, hash, null, Range(start, end)), out var refusal);

        Assert.Equal(id, found?.Id);
        Assert.Equal("", refusal);
    }

    [Fact]
    public void Find_NumericClassNamed_GivesTheShardOfThatClass() =>
        Assert.Equal("s2", ShardLookup.Find(_serving, new ShardQuery("demo", "", Bf16, new LayerRange(0, 4)), out _)?.Id);

    [Theory]
    [InlineData("gpt", "", null, null)]
    [InlineData("other", "", null, null)] // only a part of it is here
    [InlineData("demo", "", 0, 5)]
    [InlineData("demo", "", 4, 8)]
    [InlineData("demo", "ffff", null, null)]
    public void Find_WhatIsNotServed_SaysWhatIsInstead(string model, string hash, int? start, int? end)
    {
        Assert.Null(ShardLookup.Find(_serving, new ShardQuery(model, hash, null, Range(start, end)), out var refusal));
        Assert.Contains($"Asked for model '{model}'", refusal, StringComparison.Ordinal);
        Assert.Contains("'demo' layers [0,8) of 8 (cpu-v1-bf16-aaaabbbb", refusal, StringComparison.Ordinal);
        Assert.Contains("'other' layers [2,4) of 4", refusal, StringComparison.Ordinal);
    }

    [Fact]
    public void Find_OtherNumericClass_IsRefused() =>
        Assert.Null(ShardLookup.Find(_serving, new ShardQuery("demo", "", F32, null), out _));

    [Fact]
    public void Find_NothingServed_SaysSoAndPrintsHostileNamesShort()
    {
        Assert.Null(ShardLookup.Find([], new ShardQuery("a\n" + new string('x', 100_000), "", null, null), out var refusal));

        Assert.InRange(refusal.Length, 1, 400);
        Assert.DoesNotContain('\n', refusal);
        Assert.EndsWith("this worker serves nothing now.", refusal, StringComparison.Ordinal);
    }

    private static LayerRange? Range(int? start, int? end) => start is { } from && end is { } to ? new LayerRange(from, to) : null;

    private static Shard Shard(string id, string model, int layers, LayerRange range, NumericClass numericClass)
    {
        var shard = new Shard(id, new WorkerModel(model, layers), range, plan: null);
        shard.Serve(new SilentEngine(range, numericClass), loaded: null);
        return shard;
    }
}
