using Parallax.Runtime.Blocks;
using Parallax.Runtime.Execution;
using Parallax.Testing;
using Parallax.Testing.Blocks;
using Parallax.UnitTests.Execution;

namespace Parallax.UnitTests.Blocks;

/// <summary>An engine fetches what another has computed, before it answers an Open.</summary>
public sealed class EngineRestoreTests
{
    private static readonly int?[][] Layouts = [[null], [24], [null, 24]];

    private readonly MemoryExchange _exchange = new();

    public static TheoryData<int, ExchangeFault> Cases()
    {
        var cases = new TheoryData<int, ExchangeFault>();
        for (var layout = 0; layout < Layouts.Length; layout++)
        {
            foreach (var fault in Enum.GetValues<ExchangeFault>())
            {
                cases.Add(layout, fault);
            }
        }

        return cases;
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public async Task Open_PrefixComputedElsewhere_GivesTheSameAnswer(int layout, ExchangeFault fault)
    {
        var windows = Layouts[layout];
        var prompt = EngineFixture.Prompt(150);
        var expected = FakeShard.Generate(windows, prompt, 20);
        var first = Loop(windows);
        Assert.Equal(expected, await AnswerAsync(first, prompt, 20));
        var offered = WriteAll(first);
        Assert.Equal(_exchange.Offers.Count, offered);
        Assert.Equal((150 + 19) / 16, offered);

        var second = Loop(windows);
        _exchange.Fault = fault;
        var answer = await AnswerAsync(second, prompt, 20);

        Assert.Equal(expected, answer);
        var stats = second.Counters.Read();
        var restored = fault switch
        {
            ExchangeFault.None => 9,
            ExchangeFault.Partial => 5,
            ExchangeFault.Corrupt or ExchangeFault.Incomplete or ExchangeFault.Broken => 4,
            // With one layer there is no other one.
            ExchangeFault.MixedUp => windows.Length == 1 ? 9 : 4,
            _ => 0,
        };
        Assert.Equal(restored * 16, stats.RestoredPositions);
        Assert.Equal(stats.PrefillTokens, 150 - stats.RestoredPositions);
        Assert.Equal(fault is ExchangeFault.Corrupt or ExchangeFault.Incomplete || (fault == ExchangeFault.MixedUp && windows.Length > 1), stats.BlocksRefused > 0);
        Assert.Equal(fault is ExchangeFault.Silent or ExchangeFault.Broken, stats.RestoreFailures > 0);
        second.CheckEmpty();
    }

    [Fact]
    public async Task Open_OtherTenant_IsAskedForUnderItsOwnHashesAndGetsNothing()
    {
        var prompt = EngineFixture.Prompt(100);
        var first = Loop([null]);
        await AnswerAsync(first, prompt, 4, salt: "a");
        WriteAll(first);
        Assert.All(_exchange.Offers, static offer => Assert.Equal("a", offer.Tenant));

        var second = Loop([null]);
        await AnswerAsync(second, prompt, 4, salt: "b");

        Assert.Equal("b", Assert.Single(_exchange.Queries, static query => query.Tenant == "b").Tenant);
        Assert.Equal(0, second.Counters.Read().RestoredPositions);
    }

    [Fact]
    public async Task Open_BlocksThatCame_AreACachedPrefixForOthersAndAreNotOfferedAgain()
    {
        var prompt = EngineFixture.Prompt(100);
        var first = Loop([null]);
        await AnswerAsync(first, prompt, 1);
        WriteAll(first);
        var offers = _exchange.Offers.Count;

        var second = Loop([null]);
        await AnswerAsync(second, prompt, 1);
        var queries = _exchange.Queries.Count;
        await AnswerAsync(second, prompt, 1);
        WriteAll(second);

        Assert.Equal(queries, _exchange.Queries.Count);
        Assert.Equal(offers, _exchange.Offers.Count);
    }

    [Fact]
    public async Task Open_SeveralWithOnePrefix_FetchItOnce()
    {
        var prompt = EngineFixture.Prompt(100);
        var first = Loop([null]);
        await AnswerAsync(first, prompt, 1);
        WriteAll(first);
        var loop = Loop([null]);
        var asked = _exchange.Queries.Count;
        var sessions = Enumerable.Range(0, 3).Select(_ => Open(loop, prompt, 4)).ToList();
        Assert.All(sessions, session => Assert.True(loop.TryRestore(session.Item1, TimeSpan.Zero)));

        foreach (var (opening, _) in sessions)
        {
            Assert.Equal(96, (await FinishAsync(loop, opening)).CachedPrefix);
        }

        Assert.Equal(asked + 1, _exchange.Queries.Count);
        Assert.Equal(96, loop.Counters.Read().RestoredPositions);
        foreach (var (opening, sink) in sessions)
        {
            loop.Start(opening.Request.Session, EngineFixture.First, 96);
            loop.RunToEnd();
            Assert.Equal(FakeShard.Generate([null], prompt, 4), sink.Tokens);
        }

        loop.CheckEmpty();
    }

    [Fact]
    public async Task Open_WhoFetchesIsCancelled_WhoWaitsForItComputes()
    {
        var prompt = EngineFixture.Prompt(100);
        _exchange.Fault = ExchangeFault.Silent;
        var loop = Loop([null]);
        var ((leader, _), (follower, sink)) = (Open(loop, prompt, 4), Open(loop, prompt, 4));
        Assert.True(loop.TryRestore(leader, TimeSpan.Zero));
        Assert.True(loop.TryRestore(follower, TimeSpan.Zero));
        loop.AdvanceRestores(TimeSpan.Zero);
        Assert.False(follower.Answer.Task.IsCompleted);

        loop.Cancel(leader.Request.Session, EngineFixture.First);
        loop.AdvanceRestores(TimeSpan.Zero);

        Assert.Equal(0, (await follower.Answer.Task).CachedPrefix);
        loop.Start(follower.Request.Session, EngineFixture.First, 0);
        loop.RunToEnd();
        Assert.Equal(FakeShard.Generate([null], prompt, 4), sink.Tokens);
        loop.CheckEmpty();
    }

    [Fact]
    public async Task Cancel_WhileBlocksAreAwaited_AnswersAndFreesEverything()
    {
        _exchange.Fault = ExchangeFault.Silent;
        var loop = Loop([null]);
        var (opening, sink) = Open(loop, EngineFixture.Prompt(100), 4);
        Assert.True(loop.TryRestore(opening, TimeSpan.Zero));

        loop.Cancel(opening.Request.Session, EngineFixture.First);

        Assert.Null((await opening.Answer.Task).Refusal);
        Assert.Equal(FinishReason.Cancelled, sink.End().Reason);
        loop.AdvanceRestores(TimeSpan.FromHours(1));
        loop.CheckEmpty();
    }

    [Fact]
    public async Task Fence_WhileBlocksAreAwaited_CallsThemOffAndBeginsAnew()
    {
        var prompt = EngineFixture.Prompt(100);
        var first = Loop([null]);
        await AnswerAsync(first, prompt, 4);
        WriteAll(first);
        _exchange.Fault = ExchangeFault.Silent;
        var loop = Loop([null]);
        var (opening, sink) = Open(loop, prompt, 4);
        Assert.True(loop.TryRestore(opening, TimeSpan.Zero));

        _exchange.Fault = ExchangeFault.None;
        var fence = new Opening(opening.Request with { Epoch = EngineFixture.Second }, sink);
        Assert.Null(loop.Open(fence.Request, sink, TimeSpan.Zero).Refusal);
        Assert.True(opening.Answer.Task.IsCompleted);
        Assert.True(loop.TryRestore(fence, TimeSpan.Zero));
        var result = await FinishAsync(loop, fence);

        Assert.Equal(96, result.CachedPrefix);
        loop.Start(fence.Request.Session, EngineFixture.Second, 99);
        loop.RunToEnd();
        Assert.Equal(FakeShard.Generate([null], prompt, 4), sink.Tokens);
        Assert.Equal(4, loop.Counters.Read().PrefillTokens);
    }

    [Fact]
    public async Task Open_CacheWithoutRoom_TakesWhatFits()
    {
        var prompt = EngineFixture.Prompt(150);
        var first = Loop([null]);
        await AnswerAsync(first, prompt, 1);
        WriteAll(first);
        var loop = Loop([null], blocks: 12);
        var (holder, _) = Open(loop, EngineFixture.Prompt(80, seed: 3), 4);
        loop.Start(holder.Request.Session, EngineFixture.First, 0);
        loop.Step(TimeSpan.Zero);

        var answer = await AnswerAsync(loop, prompt, 1);

        Assert.Equal(FakeShard.Generate([null], prompt, 1), answer);
        Assert.InRange(loop.Counters.Read().RestoredPositions, 16, 128);
        loop.CheckCache();
    }

    [Fact]
    public void Copy_BlockEvictedBeforeItsTurn_IsLeftOutAndCounted()
    {
        var loop = Loop([null], blocks: 8);
        loop.Launch(EngineFixture.Prompt(100), 1);
        loop.RunToEnd();
        loop.Launch(EngineFixture.Prompt(100, seed: 5), 1);
        loop.RunToEnd();

        WriteAll(loop);

        var stats = loop.Counters.Read();
        Assert.Equal(12, stats.BlocksOffered + stats.BlocksDropped);
        Assert.True(stats.BlocksDropped >= 4);
    }

    [Fact]
    public async Task Drain_ExchangeWithoutRoom_WaitsAndThenHandsEverythingOver()
    {
        var loop = Loop([null]);
        _exchange.Room = 0;
        loop.Launch(EngineFixture.Prompt(100), 1);
        loop.RunToEnd();
        WriteAll(loop);
        Assert.Equal(6, loop.Counters.Read().BlocksDropped);

        _exchange.Room = 2;
        var drain = new BlockDrain(null, TestContext.Current.CancellationToken);
        loop.Writer!.Drain(drain);
        var now = TimeSpan.Zero;
        for (var i = 0; i < 50; i++, now += TimeSpan.FromMilliseconds(1))
        {
            loop.Writer.Copy(now, long.MaxValue);
        }

        Assert.Equal(2, drain.Handed);
        Assert.False(drain.Done.Task.IsCompleted);
        _exchange.Room = int.MaxValue;
        loop.Writer.Copy(now + TimeSpan.FromSeconds(1), long.MaxValue);

        Assert.Equal(new BlockDrainProgress(6, 6), await drain.Done.Task);
        Assert.False(loop.Writer.HasWork);
        Assert.Equal(Enumerable.Range(0, 6), _exchange.Offers.Select(static offer => offer.Index));
    }

    /// <summary>A worker that computes nonsense must not hand it to others, and nobody takes it.</summary>
    [Fact]
    public async Task Blocks_WithValuesThatAreNoNumbers_AreNeitherGivenNorTaken()
    {
        var prompt = EngineFixture.Prompt(100);
        var broken = new FakeShard([null], [64]) { IsFinite = false };
        var loop = new EngineLoop(broken, OptionsOf(), new GreedySampling());
        await AnswerAsync(loop, prompt, 1);
        Assert.Equal(0, WriteAll(loop));
        Assert.Equal(6, loop.Counters.Read().BlocksDropped);

        var sound = Loop([null]);
        await AnswerAsync(sound, prompt, 1);
        WriteAll(sound);
        var wary = new EngineLoop(new FakeShard([null], [64]) { IsFinite = false }, OptionsOf(), new GreedySampling());
        Assert.Equal(FakeShard.Generate([null], prompt, 1), await AnswerAsync(wary, prompt, 1));
        Assert.Equal((0, 1), (wary.Counters.Read().RestoredPositions, wary.Counters.Read().BlocksRefused));
        wary.CheckEmpty();
    }

    [Fact]
    public async Task Exchange_ThatLostEverything_IsOfferedAllOfItAgain()
    {
        var prompt = EngineFixture.Prompt(150);
        var expected = FakeShard.Generate([null], prompt, 20);
        var first = Loop([null]);
        await AnswerAsync(first, prompt, 20);
        Assert.Equal(10, WriteAll(first));
        Assert.False(first.Writer!.HasWork);
        UInt128[] order = [.. _exchange.Offers.Select(static offer => offer.Hash)];

        _exchange.Forget();
        _exchange.Generation++;
        _exchange.IsOpen = false;
        Assert.False(first.Writer.HasWork); // nobody is there
        _exchange.IsOpen = true;
        Assert.True(first.Writer.HasWork);
        Assert.Equal(20, WriteAll(first));
        Assert.Equal(order, _exchange.Offers.Select(static offer => offer.Hash)); // parents before children
        Assert.False(first.Writer.HasWork);

        // What was fetched is offered, too: who it came from may have lost it.
        var second = Loop([null]);
        Assert.Equal(expected, await AnswerAsync(second, prompt, 20));
        Assert.Equal(144, second.Counters.Read().RestoredPositions);
        WriteAll(second);
        _exchange.Forget();
        _exchange.Generation++;
        WriteAll(second);
        Assert.Equal(order, _exchange.Offers.Select(static offer => offer.Hash));
        Assert.Equal(0, second.Counters.Read().BlocksDropped);
    }

    [Fact]
    public async Task Exchange_WithoutRoomForAllAgain_IsAskedAgain_AndOneThatClosesIsNot()
    {
        var first = Loop([null]);
        await AnswerAsync(first, EngineFixture.Prompt(150), 20);
        WriteAll(first);
        _exchange.Forget();
        _exchange.Generation++;
        _exchange.Room = 3;
        WriteAll(first);
        Assert.Equal(3, _exchange.Offers.Count);
        Assert.True(first.Writer!.RetryDue > TimeSpan.Zero);

        // Closed: the refused one and those behind it are given up, until the next generation.
        _exchange.IsOpen = false;
        Assert.Equal(0, first.Writer.Copy(first.Writer.RetryDue, 1000));
        Assert.False(first.Writer.HasWork);

        _exchange.Forget();
        (_exchange.IsOpen, _exchange.Room) = (true, 3);
        _exchange.Generation++;
        WriteAll(first);
        _exchange.Room = int.MaxValue;
        while (first.Writer.Copy(first.Writer.RetryDue, 1000) > 0 || first.Writer.HasWork)
        {
            // Until all are offered.
        }

        Assert.Equal(10, _exchange.Offers.Select(static offer => offer.Hash).Distinct().Count());
        Assert.Equal(1, first.Counters.Read().BlocksDropped);
    }

    [Fact]
    public async Task Drain_WhileAllIsOfferedAgain_EndsWhenAllIs()
    {
        var first = Loop([null]);
        await AnswerAsync(first, EngineFixture.Prompt(150), 20);
        WriteAll(first);
        _exchange.Forget();
        _exchange.Generation++;
        Assert.True(first.Writer!.Copy(TimeSpan.Zero, 1) >= 0);
        var drain = new BlockDrain(null, TestContext.Current.CancellationToken);
        first.Writer.Drain(drain);

        WriteAll(first);

        Assert.True(drain.Done.Task.IsCompletedSuccessfully);
        Assert.Equal(10, _exchange.Offers.Count); // each once
    }

    private ExecutorOptions OptionsOf() => EngineFixture.Options with { Blocks = new BlockExchangeOptions { Exchange = _exchange } };

    private EngineLoop Loop(int?[] windows, int blocks = 64) =>
        new(new FakeShard(windows, [.. windows.Select(_ => blocks)]), OptionsOf(), new GreedySampling());

    /// <summary>Copies and offers all that waits.</summary>
    private static int WriteAll(EngineLoop loop)
    {
        while (loop.Writer!.Copy(TimeSpan.Zero, 1000) > 0)
        {
        }

        return (int)loop.Counters.Read().BlocksOffered;
    }

    private static (Opening Opening, RecordingSink Sink) Open(EngineLoop loop, int[] prompt, int maxTokens, string salt = "")
    {
        var request = EngineFixture.Request(prompt, maxTokens) with { CacheSalt = salt };
        var sink = new RecordingSink { Token = token => loop.Acknowledge(token.Session, token.Epoch, prompt.Length + token.Index + 1) };
        Assert.Null(loop.Open(request, sink, TimeSpan.Zero).Refusal);
        return (new Opening(request, sink), sink);
    }

    private async Task<int[]> AnswerAsync(EngineLoop loop, int[] prompt, int maxTokens, string salt = "")
    {
        var (opening, sink) = Open(loop, prompt, maxTokens, salt);
        var cached = loop.TryRestore(opening, TimeSpan.Zero)
            ? (await FinishAsync(loop, opening)).CachedPrefix
            : loop.Table.Find(opening.Request.Session)!.CachedPrefix;
        loop.Start(opening.Request.Session, EngineFixture.First, cached);
        loop.RunToEnd();
        return sink.Tokens;
    }

    /// <summary>Drives a restore to its end; time passes only where nothing ever comes.</summary>
    private async Task<OpenResult> FinishAsync(EngineLoop loop, Opening opening)
    {
        using var woken = new SemaphoreSlim(0);
        loop.Wake = () => woken.Release();
        for (var now = TimeSpan.Zero; !opening.Answer.Task.IsCompleted;)
        {
            loop.AdvanceRestores(now);
            if (_exchange.Fault == ExchangeFault.Silent)
            {
                now += TimeSpan.FromMilliseconds(50);
            }
            else if (!opening.Answer.Task.IsCompleted)
            {
                await woken.WaitAsync(20, TestContext.Current.CancellationToken);
            }
        }

        return await opening.Answer.Task;
    }
}
