using Microsoft.Extensions.Time.Testing;
using Parallax.Contracts.Identifiers;
using Parallax.Runtime.Execution;
using Parallax.Runtime.Sampling;
using Parallax.Worker.Gpu;
using Parallax.Worker.Gpu.Control;
using Parallax.Worker.Gpu.Shards;

namespace Parallax.UnitTests.Worker;

/// <summary>The life of shards, without models.</summary>
public sealed class ShardHostTests : IAsyncDisposable
{
    private readonly FakeTimeProvider _clock = new(DateTimeOffset.UnixEpoch.AddYears(50));
    private readonly SilentEngine _engine = new(new LayerRange(0, 2)) { Stats = new EngineStats { Steps = 5, RunningSessions = 1, KvBlocksTotal = 10 } };
    private readonly SessionTable _table;
    private readonly ControlStream _stream = new();
    private readonly ShardHost _host;

    public ShardHostTests()
    {
        _table = new SessionTable(_clock, TimeSpan.FromSeconds(60), 1000);
        _host = new ShardHost(new WorkerOptions { NoModel = true }, new MemoryLedger(1000), _clock, createEngine: null);
    }

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Unload_SessionThatRuns_EndsWithAnErrorWhenItsTimeIsOver()
    {
        var shard = _host.Adopt(new WorkerModel("demo", 2), _engine);
        var session = await OpenAsync(shard);
        var changed = _host.Changed;

        var unloading = _host.UnloadAsync(shard.Id, TimeSpan.FromSeconds(10));
        await changed.WaitAsync(Token);
        Assert.Empty(_host.Serving);
        Assert.Equal(ShardPhase.Draining, Assert.Single(_host.Shards).Phase);
        Assert.False(shard.TryEnter(Session(shard)));
        await AdvanceUntilAsync(unloading, TimeSpan.FromSeconds(10));

        Assert.Equal(1, await unloading);
        Assert.Empty(_host.Shards);
        var finished = session.TakeNext(_stream, out _)!.Finished;
        Assert.Equal(Contracts.V1.FinishReason.Error, finished.Reason);
        Assert.Contains("shard s1 was unloaded", finished.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Unload_SessionThatEnds_WaitsForItAndEndsNone()
    {
        var shard = _host.Adopt(new WorkerModel("demo", 2), _engine);
        var session = await OpenAsync(shard);

        var unloading = _host.UnloadAsync(shard.Id, TimeSpan.FromMinutes(10));
        Assert.False(unloading.IsCompleted);
        Assert.Same(unloading, _host.UnloadAsync(shard.Id, TimeSpan.Zero)); // it drains as it was first told to
        _engine.Cancel(session.Id, session.Epoch);

        Assert.Equal(0, await unloading.WaitAsync(Token));
        Assert.Equal(Contracts.V1.FinishReason.Cancelled, session.TakeNext(_stream, out _)!.Finished.Reason);
    }

    [Fact]
    public async Task ReadStats_ShardGone_KeepsItsCountersAndNotItsGauges()
    {
        var other = new SilentEngine(new LayerRange(1, 2)) { Stats = new EngineStats { Steps = 7, KvBlocksTotal = 3 } };
        var shard = _host.Adopt(new WorkerModel("demo", 2), _engine);
        _host.Adopt(new WorkerModel("demo", 2), other);
        Assert.Equal((12, 13, 1), (_host.ReadStats().Steps, _host.ReadStats().KvBlocksTotal, _host.ReadStats().RunningSessions));

        await _host.UnloadAsync(shard.Id, TimeSpan.Zero);

        Assert.Equal((12, 3, 0), (_host.ReadStats().Steps, _host.ReadStats().KvBlocksTotal, _host.ReadStats().RunningSessions));
        Assert.Equal(12, _host.Steps);
    }

    [Fact]
    public async Task Unload_Unknown_NamesTheKnown()
    {
        _host.Adopt(new WorkerModel("demo", 2), _engine);

        var error = await Assert.ThrowsAsync<ShardRefusedException>(async () => await _host.UnloadAsync("s7", TimeSpan.Zero));

        Assert.Equal(ShardRefusal.NotFound, error.Refusal);
        Assert.Contains("'s7'; the worker has s1", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("", 0, 1, 0, 0, "name a model folder")]
    [InlineData("/dev/zero", 0, 1, 0, 0, "no folder and no .gguf file")]
    [InlineData(".", 3, 3, 0, 0, "[3,3)")]
    [InlineData(".", -1, 3, 0, 0, "[-1,3)")]
    [InlineData(".", 0, 1, 1, 0, "a context of 1")]
    [InlineData(".", 0, 1, -5, -5, "KV room for -5")]
    [InlineData(".", 0, 1, int.MaxValue, 0, "a context of")]
    public async Task Load_RequestThatMakesNoSense_IsRefused(string path, int start, int end, int context, int kvTokens, string reason)
    {
        var request = new ShardRequest
        {
            ModelPath = path,
            Range = new LayerRange(start, end),
            ContextLimit = context == 0 ? null : context,
            KvTokens = kvTokens == 0 ? null : kvTokens,
        };

        var error = await Assert.ThrowsAsync<ShardRefusedException>(() => _host.LoadAsync(request, cancellationToken: Token));

        Assert.Equal(ShardRefusal.Invalid, error.Refusal);
        Assert.Contains(reason, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Load_WorkerThatStops_IsGivenUp()
    {
        _host.StopLoading();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => _host.LoadAsync(new ShardRequest { ModelPath = "." }, cancellationToken: Token));
    }

    public async ValueTask DisposeAsync()
    {
        // An engine that was given is not disposed, but its sessions' time is over.
        await _host.DisposeAsync();
        await _host.DisposeAsync();
        Assert.Empty(_host.Shards);
        _stream.Dispose();
    }

    private async Task<WorkerSession> OpenAsync(Shard shard)
    {
        var session = Session(shard);
        Assert.True(shard.TryEnter(session));
        _table.Add(session);
        session.Adopt(_stream);
        await shard.Engine!.OpenAsync(
            new OpenRequest { Session = session.Id, Epoch = session.Epoch, PromptTokenIds = [1, 2], Sampling = new SamplingParameters { MaxTokens = 8 } }, session, Token);
        return session;
    }

    private WorkerSession Session(Shard shard) => new(SessionId.New(), new Epoch(1, Guid.Empty, 0), 2, false, _host.Incarnation, _table, shard);

    /// <summary>Timers are armed on another thread: time goes on until the task has seen it.</summary>
    private async Task AdvanceUntilAsync(Task task, TimeSpan step)
    {
        while (!task.IsCompleted)
        {
            _clock.Advance(step);
            await Task.WhenAny(task, Task.Delay(5, Token));
        }
    }
}
