using Parallax.Runtime.Blocks;
using Parallax.Runtime.Execution;
using Parallax.Testing;
using Parallax.Testing.Blocks;
using Parallax.UnitTests.Execution;

namespace Parallax.UnitTests.Blocks;

/// <summary>The same with the engine's own thread.</summary>
public sealed class ExecutorBlocksTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task HandOver_ThenOpenElsewhere_GivesTheSameAnswerFromBlocks()
    {
        var exchange = new MemoryExchange();
        var prompt = EngineFixture.Prompt(200);
        var expected = FakeShard.Generate([null], prompt, 10);
        var reported = new List<BlockDrainProgress>();
        await using (var first = Engine(exchange))
        {
            Assert.Equal(expected, await AnswerAsync(first, prompt, 10));
            var drained = await first.HandOverBlocksAsync(new Direct(reported.Add), Cancel);
            Assert.Equal(first.ReadStats().BlocksOffered, exchange.Offers.Count);
            Assert.Equal(drained.Handed, reported.Count);
        }

        Assert.Equal(13, exchange.Offers.Select(static offer => offer.Hash).Distinct().Count());
        await using var second = Engine(exchange);
        Assert.Equal(expected, await AnswerAsync(second, prompt, 10));
        Assert.Equal(192, second.ReadStats().RestoredPositions);
    }

    [Fact]
    public async Task Idle_FilledBlocks_AreOfferedWithoutAnybodyAsking()
    {
        var exchange = new MemoryExchange();
        await using var engine = Engine(exchange);
        await AnswerAsync(engine, EngineFixture.Prompt(200), 10);
        while (exchange.Offers.Count < 13)
        {
            await Task.Delay(5, Cancel);
        }

        Assert.Equal(0, engine.ReadStats().BlocksDropped);
    }

    [Fact]
    public async Task Dispose_WhileADrainAwaitsRoom_EndsItAsCancelled()
    {
        var exchange = new MemoryExchange { Room = 0 };
        var engine = Engine(exchange, writeRate: 0);
        await AnswerAsync(engine, EngineFixture.Prompt(100), 1);
        var drain = engine.HandOverBlocksAsync(cancellationToken: Cancel);

        await engine.DisposeAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => drain);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => engine.HandOverBlocksAsync(cancellationToken: Cancel));
    }

    [Fact]
    public async Task HandOver_NobodyWaitsAnyMore_Ends()
    {
        var exchange = new MemoryExchange { Room = 0 };
        await using var engine = Engine(exchange, writeRate: 0);
        await AnswerAsync(engine, EngineFixture.Prompt(100), 1);
        using var stop = new CancellationTokenSource();
        var drain = engine.HandOverBlocksAsync(cancellationToken: stop.Token);

        await stop.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => drain);
    }

    private static Executor Engine(MemoryExchange exchange, long writeRate = 64 << 20) => new(
        new FakeShard([null], [64]),
        new GreedySampling(),
        EngineFixture.Options with { Blocks = new BlockExchangeOptions { Exchange = exchange, WriteBytesPerSecond = writeRate, RestoreTime = TimeSpan.FromMinutes(1) } });

    private static async Task<int[]> AnswerAsync(Executor engine, int[] prompt, int maxTokens)
    {
        var sink = new RecordingSink { Token = token => engine.Acknowledge(token.Session, token.Epoch, prompt.Length + token.Index + 1) };
        var request = EngineFixture.Request(prompt, maxTokens);
        var opened = await engine.OpenAsync(request, sink, Cancel);
        Assert.Null(opened.Refusal);
        engine.Start(request.Session, EngineFixture.First, opened.CachedPrefix);
        await sink.Finished.WaitAsync(Cancel);
        return sink.Tokens;
    }

    private sealed class Direct(Action<BlockDrainProgress> act) : IProgress<BlockDrainProgress>
    {
        public void Report(BlockDrainProgress value) => act(value);
    }
}
