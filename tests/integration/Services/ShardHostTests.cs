using Parallax.Contracts.Identifiers;
using Parallax.Runtime.Execution;
using Parallax.Runtime.Weights;
using Parallax.Worker.Gpu;
using Parallax.Worker.Gpu.Shards;

namespace Parallax.IntegrationTests.Services;

/// <summary>Loading and freeing ranges of the demo model, on engines that compute nothing.</summary>
public sealed class ShardHostTests
{
    private static readonly ShardRequest Part = new() { ModelPath = DemoModelFixture.ModelPath, Range = new LayerRange(0, 4), KvTokens = 64, WeightsHash = "test" };

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Load_PartsBesideOneAnother_AreServedAndAccounted()
    {
        await using var host = Host(1L << 30);
        var progress = new List<LoadProgress>();

        var first = await host.LoadAsync(Part, new Reporter(progress.Add), Token);
        var second = await host.LoadAsync(Part with { Range = new LayerRange(4, 8) }, null, Token);

        Assert.Equal([first, second], host.Serving);
        Assert.Equal([1, 2, 3, 4], progress.Select(static step => step.LayersLoaded));
        Assert.Equal(first.Plan!.TotalBytes + second.Plan!.TotalBytes, host.Memory.Used);
        Assert.Equal((first.Plan.WeightBytes, first.Plan.KvBytes), (first.Loaded!.Shard.WeightBytes, first.Loaded.Shard.KvBytes));
        Assert.False(first.IsWhole);

        var engine = Assert.IsType<PartEngine>(first.Engine);
        await host.UnloadAsync(first.Id, TimeSpan.Zero);
        Assert.Equal([second], host.Shards);
        Assert.Equal(second.Plan.TotalBytes, host.Memory.Used);
        Assert.True(engine.IsDisposed);
        Assert.Null(first.Engine);
    }

    [Fact]
    public async Task Load_WhatDoesNotFit_IsRefusedWithTheFiguresBeforeAnythingIsRead()
    {
        await using var measure = Host(1L << 30);
        var needed = (await measure.LoadAsync(Part, null, Token)).Plan!;
        await using var host = Host(needed.TotalBytes + 1000);
        await host.LoadAsync(Part, null, Token);
        var progress = new List<LoadProgress>();

        var error = await Assert.ThrowsAsync<ShardRefusedException>(() => host.LoadAsync(Part, new Reporter(progress.Add), Token));

        Assert.Equal(ShardRefusal.NoRoom, error.Refusal);
        Assert.StartsWith(
            FormattableString.Invariant($"layers [0,4) of demo need {needed.TotalBytes / 1048576.0:0.0} MiB (weights {needed.WeightBytes / 1048576.0:0.0}, KV {needed.KvBytes / 1048576.0:0.0},"),
            error.Message,
            StringComparison.Ordinal);
        Assert.Contains(FormattableString.Invariant($"and 0.0 MiB of {host.Memory.Limit / 1048576.0:0.0} MiB are free"), error.Message, StringComparison.Ordinal);
        Assert.Empty(progress);
        Assert.Single(host.Shards);
        Assert.Equal(needed.TotalBytes, host.Memory.Used);
    }

    [Fact]
    public async Task Load_CancelledInItsMiddle_LeavesNothing()
    {
        await using var host = Host(1L << 30);
        using var cancel = CancellationTokenSource.CreateLinkedTokenSource(Token);

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => host.LoadAsync(
            Part,
            new Reporter(step =>
            {
                Assert.Equal(ShardPhase.Loading, Assert.Single(host.Shards).Phase);
                if (step.LayersLoaded == 2)
                {
                    cancel.Cancel();
                }
            }),
            cancel.Token));

        Assert.Empty(host.Shards);
        Assert.Equal(0, host.Memory.Used);
        Assert.Equal("s2", (await host.LoadAsync(Part, null, Token)).Id); // ids are not used twice
    }

    [Fact]
    public async Task Load_ManyAtOnce_TakeTurnsAndFitOrAreRefused()
    {
        await using var measure = Host(1L << 30);
        var needed = (await measure.LoadAsync(Part, null, Token)).Plan!.TotalBytes;
        await using var host = Host((3 * needed) + 1000);
        var watch = new Reporter(_ => Assert.Equal(1, host.Shards.Count(static shard => shard.Phase == ShardPhase.Loading)));

        var results = await Task.WhenAll(Enumerable.Range(0, 6).Select(async _ =>
        {
            try
            {
                await host.LoadAsync(Part, watch, Token);
                return true;
            }
            catch (ShardRefusedException e) when (e.Refusal == ShardRefusal.NoRoom)
            {
                return false;
            }
        }));

        Assert.Equal(3, results.Count(static fits => fits));
        Assert.Equal(3, host.Serving.Length);
        Assert.Equal(3 * needed, host.Memory.Used);
    }

    [Fact]
    public async Task Load_BadModelOrRange_SaysWhyAndHoldsNothing()
    {
        await using var host = Host(1L << 30);
        var empty = Directory.CreateTempSubdirectory("parallax-");
        try
        {
            Assert.Contains("config.json", (await Assert.ThrowsAsync<ModelFormatException>(
                () => host.LoadAsync(Part with { ModelPath = empty.FullName }, null, Token))).Message, StringComparison.Ordinal);
        }
        finally
        {
            empty.Delete();
        }

        Assert.Equal(8, (await Assert.ThrowsAsync<LayerRangeException>(
            () => host.LoadAsync(Part with { Range = new LayerRange(4, 9) }, null, Token))).Layers);
        Assert.Equal(ShardRefusal.NotFound, (await Assert.ThrowsAsync<ShardRefusedException>(
            () => host.LoadAsync(Part with { Replaces = "s9" }, null, Token))).Refusal);
        Assert.Empty(host.Shards);
        Assert.Equal(0, host.Memory.Used);
    }

    [Fact]
    public async Task Load_EngineThatDoesNotStart_FreesWhatWasRead()
    {
        await using var host = new ShardHost(
            new WorkerOptions { NoModel = true }, new MemoryLedger(1L << 30), null, static _ => throw new ArgumentException("no engine today"));

        await Assert.ThrowsAsync<ArgumentException>(() => host.LoadAsync(Part, null, Token));

        Assert.Empty(host.Shards);
        Assert.Equal(0, host.Memory.Used);
    }

    private static ShardHost Host(long memory) => new(
        new WorkerOptions { NoModel = true, Threads = 1 }, new MemoryLedger(memory), null, static loaded => new PartEngine(loaded, new ScriptedEngine()));

    private sealed class Reporter(Action<LoadProgress> report) : IProgress<LoadProgress>
    {
        public void Report(LoadProgress value) => report(value);
    }
}
