using System.Diagnostics.Metrics;
using Microsoft.Extensions.Time.Testing;
using Parallax.Contracts.Identifiers;
using Parallax.Runtime.Execution;
using Parallax.Testing;
using static Parallax.UnitTests.Execution.EngineFixture;

namespace Parallax.UnitTests.Execution;

public sealed class ExecutorTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Session_OpenedAndStarted_StreamsTheModelsTokens()
    {
        await using var executor = Create(new FakeShard([null, 24], [64, 64]));
        var prompt = Prompt(50);
        var (_, sink) = await LaunchAsync(executor, prompt, 40);

        var end = await sink.Finished.WaitAsync(Token);

        Assert.Equal(FinishReason.Length, end.Reason);
        Assert.Equal(FakeShard.Generate([null, 24], prompt, 40), sink.Tokens);
        Assert.True(executor.IsHealthy);
    }

    [Fact]
    public async Task Cancel_DuringAStep_NoFurtherStepComputesTheSession()
    {
        using var inStep = new SemaphoreSlim(0);
        using var goOn = new SemaphoreSlim(0);
        var shard = new FakeShard([null], [64]);
        var steps = 0;
        shard.OnForward = _ =>
        {
            steps++;
            inStep.Release();
            goOn.Wait(Token);
        };
        await using var executor = Create(shard);
        var (request, sink) = await LaunchAsync(executor, Prompt(20), 100);

        await inStep.WaitAsync(Token);
        goOn.Release();
        await inStep.WaitAsync(Token);
        executor.Cancel(request.Session, First);
        goOn.Release();
        var end = await sink.Finished.WaitAsync(Token);

        Assert.Equal((FinishReason.Cancelled, 2, 2), (end.Reason, end.GeneratedTokens, steps));
    }

    [Fact]
    public async Task Lease_NotRenewed_EndsAnIdleSession()
    {
        var time = new FakeTimeProvider();
        await using var executor = Create(new FakeShard([null], [64]), time: time);
        var (request, sink) = await LaunchAsync(executor, Prompt(20), 100, acknowledge: false);
        time.Advance(TimeSpan.FromSeconds(50));
        executor.RenewLease(request.Session);

        // Behind the renewal in the loop's order, so that it has happened before the clock goes on.
        await executor.OpenAsync(Request(Prompt(1), 1), new RecordingSink(), Token);
        time.Advance(TimeSpan.FromSeconds(59));
        await executor.OpenAsync(Request(Prompt(1), 1), new RecordingSink(), Token);
        Assert.False(sink.Finished.IsCompleted);
        time.Advance(TimeSpan.FromSeconds(1));
        await executor.OpenAsync(Request(Prompt(1), 1), new RecordingSink(), Token); // a clock that jumps outruns the loop's timer: it looks now

        Assert.Equal(FinishReason.Cancelled, (await sink.Finished.WaitAsync(Token)).Reason);
    }

    [Fact]
    public async Task Lease_PassesWhileTheTimerIsArmed_IsNotSleptThrough()
    {
        var time = new LateTimer();
        await using var executor = Create(new FakeShard([null], [64]), time: time);
        var sink = new RecordingSink();
        await executor.OpenAsync(Request(Prompt(20), 100), sink, Token);

        var end = await sink.Finished.WaitAsync(TimeSpan.FromSeconds(60), Token);

        Assert.Equal(FinishReason.Cancelled, end.Reason);
    }

    [Fact]
    public async Task Step_SteadyDecodeOnTheThread_AllocatesNothing()
    {
        await using var executor = Create(new FakeShard([null], [64]));
        var bytes = new long[900];
        var request = Request(Prompt(20), 900);
        var sink = new MeasuringSink(bytes, token => executor.Acknowledge(token.Session, token.Epoch, 21 + token.Index));
        await executor.OpenAsync(request, sink, Token);
        executor.Start(request.Session, First, 0);
        await sink.Finished.WaitAsync(Token);

        // The thriftiest of some rounds, as in Allocations.
        Assert.Equal(0, Enumerable.Range(2, 6).Min(round => bytes[(100 * round) + 99] - bytes[100 * round]));
    }

    [Fact]
    public async Task ReadStats_StepsAndPauses_CountsOnlyStepsAsBusy()
    {
        var time = new FakeTimeProvider();
        var shard = new FakeShard([null], [64]) { OnForward = _ => time.Advance(TimeSpan.FromMilliseconds(3)) };
        await using var executor = Create(shard, time: time);
        var (_, sink) = await LaunchAsync(executor, Prompt(4), 5);
        await sink.Finished.WaitAsync(Token);

        // An answered call tells that the loop is past its last step.
        await executor.OpenAsync(Request(Prompt(1), 1), new RecordingSink(), Token);
        time.Advance(TimeSpan.FromMilliseconds(50));
        var stats = executor.ReadStats();

        Assert.Equal(TimeSpan.FromMilliseconds(3 * stats.Steps), stats.BusyTime);
        Assert.Equal(stats.BusyTime + TimeSpan.FromMilliseconds(50), stats.UpTime);
        Assert.Equal([new StepTiming(1, 3)], stats.DecodeSteps);
        Assert.Equal(3.0 / 4, stats.PrefillMsPerToken);
    }

    [Fact]
    public async Task Deadline_Passed_EndsAnIdleSession()
    {
        var time = new FakeTimeProvider();
        await using var executor = Create(new FakeShard([null], [64]), time: time);
        var request = Request(Prompt(20), 100) with { TimeLeft = TimeSpan.FromSeconds(7) };
        var sink = new RecordingSink();
        await executor.OpenAsync(request, sink, Token);

        time.Advance(TimeSpan.FromSeconds(7));

        Assert.Equal(FinishReason.Deadline, (await sink.Finished.WaitAsync(Token)).Reason);
    }

    [Fact]
    public async Task OpenAsync_CallerGoesBeforeTheAnswer_LeavesNothingBehind()
    {
        using var inStep = new SemaphoreSlim(0);
        using var goOn = new SemaphoreSlim(0);
        var shard = new FakeShard([null], [64]);
        shard.OnForward = _ =>
        {
            inStep.Release();
            goOn.Wait(Token);
        };
        await using var executor = Create(shard, Options with { MaxSessions = 2 });
        var (_, running) = await LaunchAsync(executor, Prompt(20), 1);
        await inStep.WaitAsync(Token);
        using var caller = new CancellationTokenSource();
        var open = executor.OpenAsync(Request(Prompt(4), 4), new RecordingSink(), caller.Token);

        await caller.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => open);
        shard.OnForward = null;
        goOn.Release();
        await running.Finished.WaitAsync(Token);

        Assert.Null((await executor.OpenAsync(Request(Prompt(4), 4), new RecordingSink(), Token)).Refusal);
        Assert.Null((await executor.OpenAsync(Request(Prompt(4), 4), new RecordingSink(), Token)).Refusal);
        Assert.Equal(OpenRefusal.Busy, (await executor.OpenAsync(Request(Prompt(4), 4), new RecordingSink(), Token)).Refusal);
    }

    [Fact]
    public async Task DisposeAsync_UnderLoad_EndsEverySessionAndFreesTheShard()
    {
        using var steps = new SemaphoreSlim(0);
        var shard = new FakeShard([null], [64]) { OnForward = _ => steps.Wait(Token) };
        var executor = Create(shard);
        var sinks = new List<RecordingSink>();
        for (var i = 0; i < 8; i++)
        {
            // The loop stops in a step that has no permit; what was asked before is answered after that step.
            var launching = LaunchAsync(executor, Prompt(30, i), 900);
            steps.Release(2);
            sinks.Add((await launching).Sink);
        }

        var disposing = executor.DisposeAsync();
        steps.Release(1000);
        await disposing;

        Assert.True(shard.IsDisposed);
        Assert.All(sinks, sink => Assert.Equal(FinishReason.Cancelled, sink.End().Reason));
        var late = await executor.OpenAsync(Request(Prompt(4), 4), new RecordingSink(), Token);
        Assert.Equal(OpenRefusal.Stopping, late.Refusal);
        executor.Cancel(SessionId.New(), First);
        await executor.DisposeAsync();
    }

    [Fact]
    public async Task DisposeAsync_WithTimeToDrain_LetsStartedSessionsEnd()
    {
        var time = new FakeTimeProvider();
        var executor = Create(new FakeShard([null], [64]), Options with { DrainTime = TimeSpan.FromMinutes(1) }, time);
        var (_, sink) = await LaunchAsync(executor, Prompt(30), 300);

        await executor.DisposeAsync();

        Assert.Equal(FinishReason.Length, sink.End().Reason);
        Assert.Equal(300, sink.Tokens.Length);
    }

    [Fact]
    public async Task DisposeAsync_DrainTimePasses_CancelsTheRest()
    {
        var time = new FakeTimeProvider();
        var executor = Create(new FakeShard([null], [64]), Options with { DrainTime = TimeSpan.FromSeconds(5) }, time);
        var (_, stalled) = await LaunchAsync(executor, Prompt(30), 300, acknowledge: false);
        var disposing = executor.DisposeAsync().AsTask();
        Assert.Equal(OpenRefusal.Stopping, (await executor.OpenAsync(Request(Prompt(4), 4), new RecordingSink(), Token)).Refusal);

        time.Advance(TimeSpan.FromSeconds(5));
        await disposing.WaitAsync(Token);

        Assert.Equal(FinishReason.Cancelled, stalled.End().Reason);
    }

    [Fact]
    public async Task Step_FailsThreeTimes_ReportsUnhealthyAndRecovers()
    {
        var shard = new FakeShard([null], [64]) { OnForward = _ => throw new InvalidOperationException("device lost") };
        await using var executor = Create(shard);
        for (var i = 0; i < 3; i++)
        {
            var (_, sink) = await LaunchAsync(executor, Prompt(20), 5);
            Assert.Equal(FinishReason.Error, (await sink.Finished.WaitAsync(Token)).Reason);
        }

        // An answered call tells that the loop has published the step's outcome.
        await executor.OpenAsync(Request(Prompt(1), 1), new RecordingSink(), Token);
        Assert.False(executor.IsHealthy);
        Assert.Contains("device lost", executor.Fault, StringComparison.Ordinal);

        shard.OnForward = null;
        var (_, next) = await LaunchAsync(executor, Prompt(20), 5);
        Assert.Equal(FinishReason.Length, (await next.Finished.WaitAsync(Token)).Reason);
        await executor.OpenAsync(Request(Prompt(1), 1), new RecordingSink(), Token);
        Assert.True(executor.IsHealthy);
    }

    [Fact]
    public async Task Loop_FailsItself_TellsEverybodyAndRefusesMore()
    {
        var time = new BreakableTime();
        var shard = new FakeShard([null], [64]);
        var executor = Create(shard, time: time);
        var (request, sink) = await LaunchAsync(executor, Prompt(20), 100, acknowledge: false);

        time.IsBroken = true;
        executor.RenewLease(request.Session);
        var end = await sink.Finished.WaitAsync(Token);

        Assert.Equal(FinishReason.Error, end.Reason);
        Assert.Contains("broken clock", end.Error, StringComparison.Ordinal);
        Assert.Contains("broken clock", executor.Fault, StringComparison.Ordinal);
        await executor.DisposeAsync();
        Assert.True(shard.IsDisposed);
        Assert.False(executor.IsHealthy);
        Assert.Equal(OpenRefusal.Stopping, (await executor.OpenAsync(Request(Prompt(4), 4), new RecordingSink(), Token)).Refusal);
    }

    [Fact]
    public async Task Calls_FromASinkWithAFullQueue_DoNotDeadlock()
    {
        await using var executor = Create(new FakeShard([null], [64]), Options with { CommandCapacity = 1 });
        var request = Request(Prompt(20), 50);
        var sink = new RecordingSink
        {
            Token = token =>
            {
                executor.RenewLease(token.Session);
                executor.Acknowledge(token.Session, token.Epoch, 21 + token.Index);
                if (token.Index == 40)
                {
                    executor.Cancel(token.Session, token.Epoch);
                }
            },
        };
        await executor.OpenAsync(request, sink, Token);
        executor.Start(request.Session, First, 0);

        var end = await sink.Finished.WaitAsync(Token);

        Assert.Equal((FinishReason.Cancelled, 41), (end.Reason, end.GeneratedTokens));
    }

    [Fact]
    public async Task Load_ManyClients_NoneIsLostAndNothingLeaks()
    {
        var shard = new FakeShard([null, 20], [40, 30]);
        var executor = Create(shard, Options with { MaxSessions = 64 });
        var clients = Enumerable.Range(0, 16).Select(client => Task.Run(
            async () =>
            {
                for (var i = 0; i < 15; i++)
                {
                    var prompt = Prompt(10 + (((client * 15) + i) * 7 % 150), seed: i % 4);
                    var (request, sink) = await LaunchAsync(executor, prompt, 20 + i, client: $"{client % 5}");
                    var cancelled = i % 5 == client % 5;
                    if (cancelled)
                    {
                        executor.Cancel(request.Session, First);
                    }

                    var end = await sink.Finished.WaitAsync(Token);
                    var expected = FakeShard.Generate([null, 20], prompt, 20 + i);
                    Assert.Equal(expected[..sink.Tokens.Length], sink.Tokens);
                    Assert.True(end.Reason == FinishReason.Length || cancelled, $"{end}");
                }
            },
            Token));

        await Task.WhenAll(clients);

        await executor.DisposeAsync();
        var stats = executor.ReadStats();
        Assert.Equal(16 * 15, stats.SessionsFinished + stats.SessionsCancelled);
        Assert.Equal((0, 0, 0, 70), (stats.RunningSessions, stats.WaitingSessions, stats.KvBlocksUsed, stats.KvBlocksTotal));
    }

    [Fact]
    public async Task Metrics_Step_AreRecordedUnderTheRuntimesMeter()
    {
        var rows = new List<int>();
        using var listener = new MeterListener();
        listener.InstrumentPublished = (instrument, self) =>
        {
            if (instrument.Meter.Name == "Parallax.Runtime" && instrument.Name == "parallax.step.batch_tokens")
            {
                self.EnableMeasurementEvents(instrument);
            }
        };
        listener.SetMeasurementEventCallback<int>((_, value, _, _) =>
        {
            lock (rows)
            {
                rows.Add(value);
            }
        });
        listener.Start();
        var executor = Create(new FakeShard([null], [64]), Options with { TokenBudget = 59 });
        var (_, sink) = await LaunchAsync(executor, Prompt(59), 3);
        await sink.Finished.WaitAsync(Token);
        await executor.DisposeAsync();

        // Other engines of the same process report to meters of the same name.
        lock (rows)
        {
            Assert.Contains(59, rows);
        }
    }

    [Fact]
    public void Constructor_SenselessOptions_Throws()
    {
        using var shard = new FakeShard([null], [8]);

        Assert.Throws<ArgumentException>(() => Create(shard, Options with { MaxBatch = 0 }));
        Assert.False(shard.IsDisposed);
    }

    private static Executor Create(FakeShard shard, ExecutorOptions? options = null, TimeProvider? time = null) =>
        new(shard, new GreedySampling(), options ?? Options, time);

    private static async Task<(OpenRequest Request, RecordingSink Sink)> LaunchAsync(
        Executor executor, int[] prompt, int maxTokens, string client = "", bool acknowledge = true)
    {
        var request = Request(prompt, maxTokens) with { Client = client };
        var sink = new RecordingSink
        {
            Token = token =>
            {
                if (acknowledge)
                {
                    executor.Acknowledge(token.Session, token.Epoch, prompt.Length + token.Index + 1);
                }
            },
        };
        var result = await executor.OpenAsync(request, sink, Token);
        Assert.True(result.Refusal is null, result.Message);
        executor.Start(request.Session, First, result.CachedPrefix);
        return (request, sink);
    }

    private sealed class BreakableTime : TimeProvider
    {
        private volatile bool _isBroken;

        public bool IsBroken
        {
            get => _isBroken;
            set => _isBroken = value;
        }

        public override long GetTimestamp() => _isBroken ? throw new InvalidOperationException("broken clock") : base.GetTimestamp();
    }

    /// <summary>Notes the bytes that the loop's thread had allocated at each token.</summary>
    private sealed class MeasuringSink(long[] bytes, Action<EmittedToken> then) : ISessionSink
    {
        private readonly TaskCompletionSource _finished = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task Finished => _finished.Task;

        public void OnToken(in EmittedToken token)
        {
            bytes[token.Index] = GC.GetAllocatedBytesForCurrentThread();
            then(token);
        }

        public void OnFinished(in SessionEnd end) => _finished.TrySetResult();
    }

    /// <summary>Its clock jumps two minutes just before the first timer is armed.</summary>
    private sealed class LateTimer : TimeProvider
    {
        private readonly FakeTimeProvider _time = new();
        private bool _jumped;

        public override long TimestampFrequency => _time.TimestampFrequency;

        public override long GetTimestamp() => _time.GetTimestamp();

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) =>
            new Timer(this, _time.CreateTimer(callback, state, dueTime, period));

        private sealed class Timer(LateTimer owner, ITimer inner) : ITimer
        {
            public bool Change(TimeSpan dueTime, TimeSpan period)
            {
                if (!owner._jumped)
                {
                    owner._jumped = true;
                    owner._time.Advance(TimeSpan.FromMinutes(2));
                }

                return inner.Change(dueTime, period);
            }

            public void Dispose() => inner.Dispose();

            public ValueTask DisposeAsync() => inner.DisposeAsync();
        }
    }
}
