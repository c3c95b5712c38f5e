using Parallax.Runtime.Execution;
using Parallax.Testing;
using static Parallax.UnitTests.Execution.EngineFixture;

namespace Parallax.UnitTests.Execution;

public sealed class EngineLoopTests : IDisposable
{
    private readonly FakeShard _shard = new([null, 24], [64, 64]);

    public void Dispose() => _shard.Dispose();

    [Fact]
    public void Step_OneSession_GivesTheModelsTokens()
    {
        var loop = Loop();
        var prompt = Prompt(50);
        var (_, sink) = loop.Launch(prompt, 40);

        loop.RunToEnd();

        Assert.Equal(FakeShard.Generate([null, 24], prompt, 40), sink.Tokens);
        var end = sink.End();
        Assert.Equal((FinishReason.Length, 50, 0, 40, ""), (end.Reason, end.PromptTokens, end.CachedTokens, end.GeneratedTokens, end.Error));
        var stats = loop.Counters.Read();
        Assert.Equal((50, 39, 1), (stats.PrefillTokens, stats.DecodeTokens, stats.SessionsFinished));
        loop.CheckEmpty();
    }

    [Fact]
    public void Step_StopId_IsEmittedAndEndsTheSession()
    {
        var prompt = Prompt(20);
        var free = FakeShard.Generate([null, 24], prompt, 30);
        var stopId = free[7];
        var loop = Loop();
        var (_, sink) = loop.Launch(prompt, 30, stopId: stopId);

        loop.RunToEnd();

        Assert.Equal(FakeShard.Generate([null, 24], prompt, 30, stopId: stopId), sink.Tokens);
        Assert.Equal(stopId, sink.Tokens[^1]);
        Assert.Equal(FinishReason.Stop, sink.End().Reason);
    }

    [Fact]
    public void Step_SamePromptTwice_TheSecondComputesOnlyTheRest()
    {
        var loop = Loop();
        var prompt = Prompt(50);
        loop.Launch(prompt, 5);
        loop.RunToEnd();
        var before = loop.Counters.Read();

        var (_, sink) = loop.Launch(prompt, 5);
        loop.RunToEnd();

        Assert.Equal(FakeShard.Generate([null, 24], prompt, 5), sink.Tokens);
        Assert.Equal(48, sink.End().CachedTokens);
        var after = loop.Counters.Read();
        Assert.Equal((2, 48), (after.PrefillTokens - before.PrefillTokens, after.PrefixHitTokens));
    }

    [Fact]
    public void Step_PromptOfWholeBlocks_AlwaysComputesTheLastOne()
    {
        var loop = Loop();
        var prompt = Prompt(48);
        loop.Launch(prompt, 20);
        loop.RunToEnd();

        var (_, sink) = loop.Launch(prompt, 20);
        loop.RunToEnd();

        Assert.Equal(32, sink.End().CachedTokens);
        Assert.Equal(FakeShard.Generate([null, 24], prompt, 20), sink.Tokens);
    }

    [Fact]
    public void Step_FourChoicesOfOnePrompt_ComputeItOnce()
    {
        var loop = Loop();
        var prompt = Prompt(100);
        RecordingSink[] sinks = [.. Enumerable.Range(0, 4).Select(_ => loop.Launch(prompt, 10).Sink)];

        loop.RunToEnd();

        Assert.All(sinks, sink => Assert.Equal(FakeShard.Generate([null, 24], prompt, 10), sink.Tokens));

        // 100 tokens once, and the last 4 of three more.
        Assert.Equal(112, loop.Counters.Read().PrefillTokens);
        Assert.Equal(3 * 96, sinks.Sum(sink => sink.End().CachedTokens));
    }

    [Fact]
    public void Step_LongPromptBesideDecodes_TheyGetATokenEveryStep()
    {
        var loop = Loop();
        var (_, decoding) = loop.Launch(Prompt(20), 60);
        loop.Step(TimeSpan.Zero);
        loop.Launch(Prompt(600, seed: 3), 4);
        var rows = new List<int>();
        _shard.OnForward = batch => rows.Add(batch.RowCount);

        for (var step = 0; step < 20; step++)
        {
            var before = decoding.Tokens.Length;
            loop.Step(TimeSpan.Zero);
            Assert.Equal(before + 1, decoding.Tokens.Length);
        }

        Assert.All(rows, count => Assert.InRange(count, 2, 1 + Options.MixedPrefillTokens));
    }

    [Fact]
    public void Step_ShortPromptBehindALongOne_IsNotHeldUp()
    {
        var loop = Loop();
        loop.Launch(Prompt(600, seed: 3), 4);
        loop.Step(TimeSpan.Zero);
        var (_, sink) = loop.Launch(Prompt(10, seed: 5), 3);

        // Half of the budget of 64 is its own from its first step on.
        loop.Step(TimeSpan.Zero);

        Assert.Single(sink.Tokens);
    }

    [Fact]
    public void Step_BlocksRunOut_SessionsAreInterruptedAndGoOnUnchanged()
    {
        var shard = new FakeShard([null], [16]);
        var loop = new EngineLoop(shard, Options, new GreedySampling());
        int[][] prompts = [.. Enumerable.Range(0, 4).Select(i => Prompt(40, seed: i + 1))];
        RecordingSink[] sinks = [.. prompts.Select(prompt => loop.Launch(prompt, 60).Sink)];

        loop.RunToEnd();

        for (var i = 0; i < 4; i++)
        {
            Assert.Equal(FakeShard.Generate([null], prompts[i], 60), sinks[i].Tokens);
        }

        Assert.InRange(loop.Counters.Read().Preemptions, 1, 100);
        loop.CheckEmpty();
    }

    [Fact]
    public void Step_BlocksRunOut_TheOldestIsNeverInterrupted()
    {
        var loop = new EngineLoop(new FakeShard([null], [8]), Options, new GreedySampling());
        var (request, oldest) = loop.Launch(Prompt(40, seed: 1), 80);
        loop.Step(TimeSpan.Zero);
        loop.Launch(Prompt(20, seed: 2), 60);

        while (!oldest.Finished.IsCompleted)
        {
            var before = oldest.Tokens.Length;
            Assert.True(loop.Step(TimeSpan.Zero));
            Assert.Equal(before + 1, oldest.Tokens.Length);
            Assert.Equal(0, loop.Table.Find(request.Session)?.Preemptions ?? 0);
        }
    }

    [Fact]
    public void Step_HeldPrefixesInTheWay_AreReclaimed()
    {
        var loop = new EngineLoop(new FakeShard([null], [8]), Options, new GreedySampling());
        loop.Launch(Prompt(60), 2);
        loop.RunToEnd();
        var request = Request(Prompt(60), 20);
        var sink = new RecordingSink();
        Assert.Equal(48, loop.Open(request, sink, TimeSpan.Zero).CachedPrefix);

        // Another session needs all blocks; the opened one keeps its place and computes its prefix later.
        var (_, other) = loop.Launch(Prompt(60, seed: 9), 60);
        loop.RunToEnd();
        loop.Start(request.Session, First, 48);
        loop.RunToEnd();

        Assert.Equal(FakeShard.Generate([null], Prompt(60, seed: 9), 60), other.Tokens);
        Assert.Equal(FakeShard.Generate([null], Prompt(60), 20), sink.Tokens);
        Assert.Equal(0, sink.End().CachedTokens);
        loop.CheckEmpty();
    }

    [Fact]
    public void Start_LessThanThePinnedPrefix_ComputesFromThere()
    {
        var loop = Loop();
        var prompt = Prompt(100);
        loop.Launch(prompt, 2);
        loop.RunToEnd();
        var before = loop.Counters.Read().PrefillTokens;
        var request = Request(prompt, 8);
        var sink = new RecordingSink();
        Assert.Equal(96, loop.Open(request, sink, TimeSpan.Zero).CachedPrefix);

        loop.Start(request.Session, First, 32);
        loop.RunToEnd();

        Assert.Equal(FakeShard.Generate([null, 24], prompt, 8), sink.Tokens);
        Assert.Equal(32, sink.End().CachedTokens);
        Assert.Equal(68, loop.Counters.Read().PrefillTokens - before);
        loop.CheckEmpty();
    }

    [Theory]
    [InlineData(-16)]
    [InlineData(8)]
    [InlineData(112)]
    public void Start_SenselessKeep_EndsTheSessionSayingWhy(int keep)
    {
        var loop = Loop();
        loop.Launch(Prompt(100), 2);
        loop.RunToEnd();
        var request = Request(Prompt(100), 8);
        var sink = new RecordingSink();
        loop.Open(request, sink, TimeSpan.Zero);

        loop.Start(request.Session, First, keep);

        Assert.Equal(FinishReason.Error, sink.End().Reason);
        Assert.Contains($"{keep}", sink.End().Error, StringComparison.Ordinal);
        Assert.Contains("96", sink.End().Error, StringComparison.Ordinal);
        loop.CheckEmpty();
    }

    [Fact]
    public void Step_BeforeStart_ComputesNothing()
    {
        var loop = Loop();
        loop.Open(Request(Prompt(10), 5), new RecordingSink(), TimeSpan.Zero);

        Assert.False(loop.Step(TimeSpan.Zero));
        Assert.Equal(0, loop.Counters.Read().Steps);
    }

    [Fact]
    public void Acknowledge_Absent_TheSessionRunsThirtyTwoAheadAndPauses()
    {
        var loop = Loop();
        var prompt = Prompt(30);
        var (request, sink) = loop.Launch(prompt, 100, acknowledge: false);
        loop.RunToEnd();
        Assert.Equal(32, sink.Tokens.Length);

        loop.Acknowledge(request.Session, Second, 50);
        Assert.False(loop.Step(TimeSpan.Zero));
        loop.Acknowledge(request.Session, First, 40);
        loop.RunToEnd();
        Assert.Equal(42, sink.Tokens.Length);
        loop.Acknowledge(request.Session, First, 35);
        Assert.False(loop.Step(TimeSpan.Zero));

        // More than there is counts as all there is.
        loop.Acknowledge(request.Session, First, 1000);
        loop.RunToEnd();
        Assert.Equal(74, sink.Tokens.Length);
        Assert.Equal(FakeShard.Generate([null, 24], prompt, 74), sink.Tokens);
    }

    [Fact]
    public void Acknowledge_AbsentForAllPlaces_OthersStillRun()
    {
        var loop = Loop();
        (OpenRequest Request, RecordingSink Sink)[] slow = [.. Enumerable.Range(1, 4).Select(i => loop.Launch(Prompt(20, i), 50, acknowledge: false))];
        loop.RunToEnd();

        var (_, other) = loop.Launch(Prompt(25), 20);
        loop.RunToEnd();
        Assert.Equal(20, other.Tokens.Length);

        foreach (var (request, _) in slow)
        {
            loop.Acknowledge(request.Session, First, 52);
        }

        loop.RunToEnd();
        for (var i = 0; i < slow.Length; i++)
        {
            Assert.Equal(FakeShard.Generate([null, 24], Prompt(20, i + 1), 50), slow[i].Sink.Tokens);
        }

        loop.CheckEmpty();
    }

    [Fact]
    public void Cancel_RunningSession_ComputesNothingMoreForIt()
    {
        var loop = Loop();
        var (request, sink) = loop.Launch(Prompt(20), 50);
        var (_, other) = loop.Launch(Prompt(20, 1), 5);
        loop.Step(TimeSpan.Zero);
        loop.Step(TimeSpan.Zero);
        var tokens = sink.Tokens.Length;

        loop.Cancel(request.Session, Second);
        Assert.False(sink.Finished.IsCompleted);
        loop.Cancel(request.Session, First);
        loop.RunToEnd();

        Assert.Equal(tokens, sink.Tokens.Length);
        Assert.Equal((FinishReason.Cancelled, tokens), (sink.End().Reason, sink.End().GeneratedTokens));
        Assert.Equal(5, other.Tokens.Length);
        Assert.Equal(1, loop.Counters.Read().SessionsCancelled);
        loop.CheckEmpty();
    }

    [Fact]
    public void Expire_LeaseNotRenewed_FreesTheSession()
    {
        var loop = Loop();
        var (request, sink) = loop.Launch(Prompt(20), 50, acknowledge: false);
        loop.RunToEnd();
        Assert.Equal(TimeSpan.FromSeconds(60), loop.NextDue);

        loop.RenewLease(request.Session, TimeSpan.FromSeconds(30));
        loop.Expire(TimeSpan.FromSeconds(60));
        Assert.Equal(TimeSpan.FromSeconds(90), loop.NextDue);
        Assert.Equal(1, loop.SessionCount);
        loop.Expire(TimeSpan.FromSeconds(90));

        Assert.Equal(FinishReason.Cancelled, sink.End().Reason);
        loop.CheckEmpty();
    }

    [Fact]
    public void Expire_Deadline_EndsTheSessionEvenIfRenewed()
    {
        var loop = Loop();
        var request = Request(Prompt(20), 50) with { TimeLeft = TimeSpan.FromSeconds(5) };
        var sink = new RecordingSink();
        loop.Open(request, sink, TimeSpan.FromSeconds(1));
        loop.RenewLease(request.Session, TimeSpan.FromSeconds(4));

        loop.Expire(TimeSpan.FromSeconds(5.9));
        Assert.False(sink.Finished.IsCompleted);
        loop.Expire(TimeSpan.FromSeconds(6));

        Assert.Equal(FinishReason.Deadline, sink.End().Reason);
        loop.CheckEmpty();
    }

    [Fact]
    public void Open_HigherEpoch_FencesTheSessionWhereItIs()
    {
        var loop = Loop();
        var (request, old) = loop.Launch(Prompt(40), 50);
        loop.Step(TimeSpan.Zero);
        var sink = new RecordingSink();

        var result = loop.Open(request with { Epoch = Second }, sink, TimeSpan.Zero);
        Assert.Equal(40, result.CachedPrefix);
        Assert.False(loop.Step(TimeSpan.Zero));
        loop.Start(request.Session, Second, keep: 39);
        loop.Acknowledge(request.Session, Second, 60);
        loop.RunToEnd();

        Assert.Equal((FinishReason.Cancelled, First), (old.End().Reason, old.End().Epoch));
        Assert.Equal(32, sink.Tokens.Length);
        Assert.Equal(FakeShard.Generate([null, 24], Prompt(40), 32), sink.Tokens);
    }

    [Theory]
    [InlineData(7, 0)]
    [InlineData(7, 3)]
    [InlineData(0, 1)]
    public void Start_WithAPartOfTheAnswerKnown_GoesOnFromThere(int atOpen, int atStart)
    {
        var expected = FakeShard.Generate([null, 24], Prompt(40), 20);
        var known = atOpen + atStart;
        var loop = Loop();
        var sink = new RecordingSink { First = known };
        var request = Request(Prompt(40), 20) with { AnswerTokenIds = [.. expected.Take(atOpen)] };

        loop.Open(request, sink, TimeSpan.Zero);
        loop.Start(request.Session, First, 40 + known - 1, answer: [.. expected.Skip(atOpen).Take(atStart)]);
        loop.RunToEnd();

        Assert.Equal(expected.Skip(known), sink.Tokens);
        Assert.Equal((FinishReason.Length, 20), (sink.End().Reason, sink.End().GeneratedTokens));
    }

    [Fact]
    public void Start_AfterAFence_ForgetsWhatTheRouterDoesNotKnow()
    {
        var expected = FakeShard.Generate([null, 24], Prompt(40), 20);
        var loop = Loop();
        var (request, sink) = loop.Launch(Prompt(40), 20);
        for (var i = 0; i < 9; i++)
        {
            loop.Step(TimeSpan.Zero);
        }

        Assert.True(sink.Tokens.Length > 4);
        var after = new RecordingSink { First = 4 };
        loop.Open(request with { Epoch = Second, AnswerTokenIds = [.. expected.Take(4)] }, after, TimeSpan.Zero);
        loop.Start(request.Session, Second, 43);
        loop.RunToEnd();

        Assert.Equal(expected.Skip(4), after.Tokens);
        Assert.Equal(0, loop.Cache.UsedBlocks);
    }

    [Fact]
    public void Open_FenceOfASessionThatIsNotHeld_IsNotHeld()
    {
        var loop = Loop();
        Assert.Equal(OpenRefusal.NotHeld, loop.Open(Request(Prompt(40), 5) with { IsFence = true }, new RecordingSink(), TimeSpan.Zero).Refusal);
        Assert.Equal(0, loop.SessionCount);
    }

    [Fact]
    public void Open_FenceWithAnotherPrompt_IsInvalidAndChangesNothing()
    {
        var loop = Loop();
        var (request, sink) = loop.Launch(Prompt(40), 5);

        var result = loop.Open(request with { Epoch = Second, PromptTokenIds = [.. Prompt(41)] }, sink, TimeSpan.Zero);

        Assert.Equal(OpenRefusal.Invalid, result.Refusal);
        loop.RunToEnd();
        Assert.Equal(5, sink.Tokens.Length);
    }

    [Fact]
    public void Open_EqualOrLowerEpoch_IsStale()
    {
        var loop = Loop();
        var request = Request(Prompt(40), 5) with { Epoch = Second };
        loop.Open(request, new RecordingSink(), TimeSpan.Zero);

        Assert.Equal(OpenRefusal.Stale, loop.Open(request, new RecordingSink(), TimeSpan.Zero).Refusal);
        Assert.Equal(OpenRefusal.Stale, loop.Open(request with { Epoch = First }, new RecordingSink(), TimeSpan.Zero).Refusal);
        Assert.Equal(1, loop.SessionCount);
    }

    [Fact]
    public void Open_TableFull_IsBusyUntilOneEnds()
    {
        var loop = new EngineLoop(_shard, Options with { MaxSessions = 1 }, new GreedySampling());
        var request = Request(Prompt(4), 5);
        loop.Open(request, new RecordingSink(), TimeSpan.Zero);

        Assert.Equal(OpenRefusal.Busy, loop.Open(Request(Prompt(4), 5), new RecordingSink(), TimeSpan.Zero).Refusal);
        Assert.Null(loop.Open(request with { Epoch = Second }, new RecordingSink(), TimeSpan.Zero).Refusal);
        loop.Cancel(request.Session, Second);
        Assert.Null(loop.Open(Request(Prompt(4), 5), new RecordingSink(), TimeSpan.Zero).Refusal);
    }

    [Theory]
    [InlineData(100, 29, "128")]
    [InlineData(60, 60, "112")]
    public void Open_TooLong_IsRefusedWithTheFigures(int prompt, int maxTokens, string figure)
    {
        var loop = new EngineLoop(new FakeShard([null, 16], [7, 20], maxPositions: 128), Options, new GreedySampling());
        Assert.Equal(113, loop.Info.ContextLimit);

        var result = loop.Open(Request(Prompt(prompt), maxTokens), new RecordingSink(), TimeSpan.Zero);

        Assert.Equal(OpenRefusal.TooLong, result.Refusal);
        Assert.Contains(figure, result.Message, StringComparison.Ordinal);
        Assert.Null(loop.Open(Request(Prompt(53), 60), new RecordingSink(), TimeSpan.Zero).Refusal);
    }

    [Fact]
    public void Open_LargestThatFits_RunsToItsEnd()
    {
        var loop = new EngineLoop(new FakeShard([null, 16], [7, 5]), Options, new GreedySampling());
        var (_, sink) = loop.Launch(Prompt(53), 60);

        loop.RunToEnd();

        Assert.Equal(FakeShard.Generate([null, 16], Prompt(53), 60), sink.Tokens);
    }

    public static TheoryData<OpenRequest, string> InvalidRequests()
    {
        var good = Request([1, 2], 5);
        return new TheoryData<OpenRequest, string>
        {
            { good with { PromptTokenIds = [] }, "empty" },
            { good with { PromptTokenIds = default }, "empty" },
            { good with { PromptTokenIds = [1, 61] }, "token 1 is 61" },
            { good with { PromptTokenIds = [-1] }, "token 0 is -1" },
            { good with { TimeLeft = TimeSpan.Zero }, "deadline" },
            { good with { CacheSalt = new string('x', 300) }, "salt" },
            { good with { Client = new string('x', 300) }, "client" },
            { good with { Sampling = good.Sampling with { MaxTokens = 0 } }, "MaxTokens" },
            { good with { Sampling = good.Sampling with { Temperature = float.NaN } }, "Temperature" },
            { good with { Sampling = good.Sampling with { TopP = 0 } }, "TopP" },
            { good with { Sampling = good.Sampling with { MinP = 2 } }, "MinP" },
            { good with { Sampling = good.Sampling with { TopK = -1 } }, "TopK" },
            { good with { Sampling = good.Sampling with { RepetitionPenalty = 0 } }, "RepetitionPenalty" },
            { good with { Sampling = good.Sampling with { PresencePenalty = float.PositiveInfinity } }, "PresencePenalty" },
            { good with { Sampling = good.Sampling with { TopLogProbs = 21 } }, "TopLogProbs" },
            { good with { Sampling = good.Sampling with { StopTokenIds = [61] } }, "stop token 61" },
            { good with { Sampling = good.Sampling with { LogitBias = [new(3, float.NaN)] } }, "bias" },
        };
    }

    [Theory]
    [MemberData(nameof(InvalidRequests))]
    public void Open_InvalidValue_IsRefusedByName(OpenRequest request, string named)
    {
        var result = Loop().Open(request, new RecordingSink(), TimeSpan.Zero);

        Assert.Equal(OpenRefusal.Invalid, result.Refusal);
        Assert.Contains(named, result.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Step_ModelThrows_EndsItsSessionsAndTheEngineGoesOn()
    {
        var loop = Loop();
        var (_, sink) = loop.Launch(Prompt(20), 50);
        loop.Step(TimeSpan.Zero);
        _shard.OnForward = _ => throw new InvalidOperationException("device lost");
        loop.Step(TimeSpan.Zero);
        _shard.OnForward = null;

        Assert.Equal(FinishReason.Error, sink.End().Reason);
        Assert.Contains("device lost", sink.End().Error, StringComparison.Ordinal);
        loop.CheckEmpty();

        var (_, next) = loop.Launch(Prompt(20), 5);
        loop.RunToEnd();
        Assert.Equal(FakeShard.Generate([null, 24], Prompt(20), 5), next.Tokens);
        Assert.Null(loop.Fault);
    }

    [Fact]
    public void Step_ModelThrowsThreeTimes_IsUnhealthyUntilAStepSucceeds()
    {
        var loop = Loop();
        _shard.OnForward = _ => throw new InvalidOperationException("device lost");
        for (var i = 1; i <= 3; i++)
        {
            Assert.Null(loop.Fault);
            loop.Launch(Prompt(20), 5);
            loop.Step(TimeSpan.Zero);
        }

        Assert.Contains("device lost", loop.Fault, StringComparison.Ordinal);
        _shard.OnForward = null;
        loop.Launch(Prompt(20), 5);
        loop.Step(TimeSpan.Zero);
        Assert.Null(loop.Fault);
        Assert.Equal(3, loop.Counters.Read().SessionsFailed);
    }

    [Fact]
    public void Step_ModelThrowsNowAndThen_StaysHealthy()
    {
        var loop = Loop();
        for (var i = 0; i < 5; i++)
        {
            _shard.OnForward = _ => throw new InvalidOperationException("hiccup");
            loop.Launch(Prompt(20), 5);
            loop.Step(TimeSpan.Zero);
            Assert.Null(loop.Fault);
            _shard.OnForward = null;
            loop.Launch(Prompt(20), 5);
            loop.RunToEnd();
        }

        Assert.Equal(5, loop.Counters.Read().SessionsFailed);
    }

    [Fact]
    public void Step_NaNLogits_EndOneSessionAndLeaveNothingOfItInTheCache()
    {
        var loop = Loop();
        var (_, good) = loop.Launch(Prompt(20, 1), 20);
        var (_, bad) = loop.Launch(Prompt(40, 2), 50);
        loop.Step(TimeSpan.Zero);
        _shard.Spoils = slice => slice.StartPosition == 41;
        loop.RunToEnd();
        _shard.Spoils = null;

        Assert.Equal((FinishReason.Error, 2), (bad.End().Reason, bad.Tokens.Length));
        Assert.Contains("token 2", bad.End().Error, StringComparison.Ordinal);
        Assert.Equal(FakeShard.Generate([null, 24], Prompt(20, 1), 20), good.Tokens);
        var (_, again) = loop.Launch(Prompt(40, 2), 5);
        loop.RunToEnd();
        Assert.Equal(0, again.End().CachedTokens);
        loop.CheckEmpty();
    }

    [Fact]
    public void Step_SamplerThrows_EndsOnlyItsSession()
    {
        var loop = new EngineLoop(_shard, Options, new GreedySampling
        {
            OnSample = index =>
            {
                if (index == 7)
                {
                    throw new InvalidOperationException("no mass left");
                }
            },
        });
        var (_, doomed) = loop.Launch(Prompt(20), 20);
        var (_, fine) = loop.Launch(Prompt(20, 1), 7);
        loop.RunToEnd();

        Assert.Contains("no mass left", doomed.End().Error, StringComparison.Ordinal);
        Assert.Equal(FinishReason.Length, fine.End().Reason);
        loop.CheckEmpty();
    }

    [Fact]
    public void Step_SinkThrows_EndsOnlyItsSession()
    {
        var loop = Loop();
        var sink = new RecordingSink { Token = token => throw new InvalidOperationException("full") };
        var request = Request(Prompt(20), 20);
        loop.Open(request, sink, TimeSpan.Zero);
        loop.Start(request.Session, First, 0);
        var (_, fine) = loop.Launch(Prompt(20, 1), 7);
        loop.RunToEnd();

        Assert.Contains("full", sink.End().Error, StringComparison.Ordinal);
        Assert.Equal(FinishReason.Length, fine.End().Reason);
        loop.CheckEmpty();
    }

    [Fact]
    public void Step_TwoClients_ShareTheSteps()
    {
        // One place; client "a" queues eight sessions before "b" queues two.
        var loop = new EngineLoop(_shard, Options with { MaxBatch = 1 }, new GreedySampling());
        var order = new List<string>();
        RecordingSink[] many = [.. Enumerable.Range(1, 8).Select(i => loop.Launch(Prompt(20, i), 5, "a").Sink)];
        RecordingSink[] few = [.. Enumerable.Range(20, 2).Select(i => loop.Launch(Prompt(20, i), 5, "b").Sink)];
        foreach (var (sink, name) in many.Select(sink => (sink, "a")).Concat(few.Select(sink => (sink, "b"))))
        {
            _ = sink.Finished.ContinueWith(_ => order.Add(name), TaskContinuationOptions.ExecuteSynchronously);
        }

        while (few.Any(sink => !sink.Finished.IsCompleted))
        {
            Assert.True(loop.Step(TimeSpan.Zero));
        }

        Assert.Equal(2, many.Count(sink => sink.Finished.IsCompleted));
    }

    [Fact]
    public void Withdraw_OpenedSession_IsFreedInSilence()
    {
        var loop = Loop();
        var request = Request(Prompt(20), 20);
        var sink = new RecordingSink();
        loop.Open(request, sink, TimeSpan.Zero);

        loop.Withdraw(request.Session, First);

        Assert.False(sink.Finished.IsCompleted);
        loop.CheckEmpty();
    }

    [Fact]
    public void StopIntake_RefusesOpensAndLetsStartedSessionsEnd()
    {
        var loop = Loop();
        var (_, running) = loop.Launch(Prompt(20), 20);
        var idle = new RecordingSink();
        loop.Open(Request(Prompt(4), 5), idle, TimeSpan.Zero);

        loop.StopIntake();
        loop.RunToEnd();

        Assert.Equal(FinishReason.Cancelled, idle.End().Reason);
        Assert.Equal(FinishReason.Length, running.End().Reason);
        Assert.Equal(OpenRefusal.Stopping, loop.Open(Request(Prompt(4), 5), idle, TimeSpan.Zero).Refusal);
    }

    [Fact]
    public void Constructor_PartOfAModel_IsRefused()
    {
        var shard = new FakeShard([null], [8]) { HasEmbedding = false };

        var error = Assert.Throws<ArgumentException>(() => new EngineLoop(shard, Options, new GreedySampling()));
        Assert.Contains("embedding", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Constructor_SenselessOptions_AreAllNamed()
    {
        var options = new ExecutorOptions { MaxBatch = 0, MaxSessions = 0, TokenBudget = 8, MixedPrefillTokens = 1, RunAhead = 33, LeaseTime = TimeSpan.Zero };

        var error = Assert.Throws<ArgumentException>(() => new EngineLoop(_shard, options, new GreedySampling()));
        Assert.All(
            ["MaxBatch", "MaxSessions", "TokenBudget", "MixedPrefillTokens", "RunAhead", "LeaseTime"],
            name => Assert.Contains(name, error.Message, StringComparison.Ordinal));
    }

    private EngineLoop Loop() => new(_shard, Options, new GreedySampling());
}
