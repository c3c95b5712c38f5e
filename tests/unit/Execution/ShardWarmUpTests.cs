using System.Diagnostics;
using Parallax.Runtime.Execution;
using Parallax.Testing;

namespace Parallax.UnitTests.Execution;

public class ShardWarmUpTests
{
    private static readonly TimeSpan Soon = TimeSpan.FromMilliseconds(20);

    [Fact]
    public void Run_MeasuresBothKindsOfSteps_AtPositionsThatThereAre()
    {
        var rows = new List<int>();
        using var shard = new FakeShard([null, 64], [32, 32])
        {
            OnForward = batch =>
            {
                rows.Add(batch.RowCount);
                var slice = Assert.Single(batch.Slices);
                Assert.All(slice.BlockTables, table => Assert.True(table.Length * KvGroup.BlockTokens >= slice.StartPosition + slice.Count));
            },
        };

        var times = ShardWarmUp.Run(shard, Soon, TestContext.Current.CancellationToken);

        Assert.True(times is { PrefillMsPerToken: > 0, DecodeMs: > 0 }, $"{times}");
        Assert.Contains(1, rows);
        Assert.Contains(rows, static count => count > 1);
    }

    [Theory]
    [InlineData(1, 4096)] // one block
    [InlineData(32, 7)]
    [InlineData(32, 2)]   // as short as a context can be
    public void Run_WithLittleRoom_StaysInIt(int blocks, int positions)
    {
        var last = 0;
        using var shard = new FakeShard([null], [blocks], maxPositions: positions)
        {
            OnForward = batch => last = Math.Max(last, batch.Slices[0].StartPosition + batch.RowCount),
        };

        ShardWarmUp.Run(shard, Soon, TestContext.Current.CancellationToken);

        Assert.InRange(last, 1, Math.Min(blocks * KvGroup.BlockTokens, positions));
    }

    [Fact]
    public void Run_OnASlowShard_ShortensThePromptAndEndsAfterThreeRounds()
    {
        var rows = new List<int>();
        using var shard = new FakeShard([null], [32])
        {
            OnForward = batch =>
            {
                rows.Add(batch.RowCount);
                for (var began = Stopwatch.GetTimestamp(); Stopwatch.GetElapsedTime(began) < TimeSpan.FromMilliseconds(10 * batch.RowCount);)
                {
                    // computes
                }
            },
        };

        ShardWarmUp.Run(shard, TimeSpan.FromMilliseconds(40), TestContext.Current.CancellationToken);

        Assert.Equal(7, rows.Count); // one row, and three times a prompt and one row
        Assert.All(rows, static count => Assert.InRange(count, 1, 4));
    }

    [Fact]
    public void Run_Cancelled_EndsBetweenSteps()
    {
        using var stop = new CancellationTokenSource();
        var steps = 0;
        using var shard = new FakeShard([null], [32])
        {
            OnForward = _ =>
            {
                if (++steps == 3)
                {
                    stop.Cancel();
                }
            },
        };

        Assert.Throws<OperationCanceledException>(() => ShardWarmUp.Run(shard, TimeSpan.FromSeconds(30), stop.Token));
        Assert.Equal(3, steps);
    }

    [Fact]
    public void Sessions_AfterAWarmUp_GetTheSameTokens_AndTimesAreKnownBefore()
    {
        var prompt = EngineFixture.Prompt(50);
        using var shard = new FakeShard([null, 64], [64, 64]);
        var measured = ShardWarmUp.Run(shard, Soon, TestContext.Current.CancellationToken);
        var loop = new EngineLoop(shard, EngineFixture.Options with { Measured = measured }, new GreedySampling());
        Assert.Equal(measured.PrefillMsPerToken, loop.Counters.Read().PrefillMsPerToken);
        Assert.Equal([new StepTiming(1, measured.DecodeMs)], loop.Counters.Read().DecodeSteps);

        var (_, sink) = loop.Launch(prompt, maxTokens: 30);
        loop.RunToEnd();

        Assert.Equal(FakeShard.Generate([null, 64], prompt, maxTokens: 30), sink.Tokens);
    }
}
