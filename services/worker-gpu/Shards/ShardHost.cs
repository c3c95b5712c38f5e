using System.Collections.Immutable;
using Parallax.Hosting;
using Parallax.Pipeline.Links;
using Parallax.Pipeline.Stages;
using Parallax.Runtime.Blocks;
using Parallax.Runtime.Execution;
using Parallax.Runtime.KvCache;
using Parallax.Worker.Gpu.Control;
using Parallax.Worker.Gpu.Devices;

namespace Parallax.Worker.Gpu.Shards;

/// <summary>
/// The shards of one worker: loads them beside one another, replaces and unloads them. One load runs at a time, others
/// wait for their turn; memory is accounted before any tensor is read. Thread-safe. Disposing ends every session, then
/// the engines.
/// </summary>
public sealed partial class ShardHost : IAsyncDisposable
{
    private const string Stopped = "the worker stopped";

    /// <summary>Shards of a worker at most.</summary>
    public const int MostShards = 64;

    private readonly Lock _gate = new(); // guards _shards, _count, _retired, _changed, and shards' Retirement
    private readonly List<Shard> _shards = []; // in the order of their loading
    private readonly SemaphoreSlim _turn = new(1);
    private readonly CancellationTokenSource _stopping = new();
    private readonly MemoryLedger _memory;
    private readonly TimeProvider _clock;
    private readonly Func<LoadedShard, IPrefixCacheEvents?, ISessionEngine> _createEngine;
    private readonly int? _threads;
    private readonly TimeSpan _drainTime;
    private readonly string? _journalFolder;
    private readonly LateLogger _log = new();
    private EngineStats _retired = new();
    private TaskCompletionSource _changed = NewSignal();
    private int _count;
    private int _disposed;

    /// <summary>A worker without shards.</summary>
    /// <param name="options">The worker's options; its model is not loaded by this.</param>
    /// <param name="samplers">Makes each session's sampler.</param>
    /// <param name="memory">Accounts the shards' memory; null for a ledger of the worker's own.</param>
    /// <param name="clock">Clock; null for the system's.</param>
    /// <exception cref="OptionsException">Options are invalid; lists all of them.</exception>
    /// <exception cref="DeviceUnavailableException">The device cannot be used by this build.</exception>
    public ShardHost(WorkerOptions options, ITokenSamplerFactory samplers, MemoryLedger? memory = null, TimeProvider? clock = null)
        : this(options, memory, clock, null)
    {
        ArgumentNullException.ThrowIfNull(samplers);
        _createEngine = (loaded, events) => CreateEngine(
            loaded,
            loaded.Limits with { PrefixEvents = events, Blocks = Exchange is { } exchange ? new BlockExchangeOptions { Exchange = exchange } : null },
            samplers);
    }

    internal ShardHost(WorkerOptions options, MemoryLedger? memory, TimeProvider? clock, Func<LoadedShard, ISessionEngine>? createEngine)
    {
        ArgumentNullException.ThrowIfNull(options);
        OptionsException.ThrowIfAny(options.Validate());
        WorkerDevice.Require(options.Device);
        _memory = memory ?? new MemoryLedger(options.MemoryBytes);
        _clock = clock ?? TimeProvider.System;
        _threads = options.Threads;
        _drainTime = options.DrainTime;
        _journalFolder = options.JournalFolder;
        _createEngine = (loaded, _) =>
            createEngine?.Invoke(loaded) ?? throw new InvalidOperationException("this host serves engines that it is given");
        Incarnation = new WorkerIncarnation(_clock).Value;
        Links = new StageLinks(Incarnation);
    }

    /// <summary>The worker's incarnation, for control, links and stages alike.</summary>
    public long Incarnation { get; }

    /// <summary>The worker's links as its stages see them.</summary>
    public StageLinks Links { get; }

    /// <summary>Where stages say from now on that a journal's file fails.</summary>
    internal void LogTo(ILogger logger) => _log.LogTo(logger);

    /// <summary>Is told which KV blocks shards have cached that are loaded from now on; null: nobody is.</summary>
    internal IShardBlocks? Blocks { get; set; }

    /// <summary>Where shards that are loaded from now on exchange KV blocks with other workers; null: nowhere.</summary>
    internal IBlockExchange? Exchange { get; set; }

    /// <summary>The memory of all shards.</summary>
    public MemoryLedger Memory => _memory;

    /// <summary>All shards, in the order of their loading.</summary>
    public ImmutableArray<Shard> Shards
    {
        get
        {
            lock (_gate)
            {
                return [.. _shards];
            }
        }
    }

    /// <summary>Those that take sessions.</summary>
    public ImmutableArray<Shard> Serving
    {
        get
        {
            lock (_gate)
            {
                return [.. _shards.Where(static shard => shard.Phase == ShardPhase.Serving)];
            }
        }
    }

    /// <summary>Those that take no new sessions and still have some.</summary>
    public ImmutableArray<Shard> Ending
    {
        get
        {
            lock (_gate)
            {
                return [.. _shards.Where(static shard => shard is { Phase: ShardPhase.Draining, Engine: not null, SessionCount: > 0 })];
            }
        }
    }

    /// <summary>Completes at the next change of <see cref="Serving"/>: take this first, then look at what is served.</summary>
    public Task Changed
    {
        get
        {
            lock (_gate)
            {
                return _changed.Task;
            }
        }
    }

    /// <summary>Finished steps of all engines there have been: grows as long as anything computes.</summary>
    public long Steps => ReadStats().Steps;

    /// <summary>Counters since the start, also of shards that are gone, and gauges of now.</summary>
    public EngineStats ReadStats()
    {
        lock (_gate)
        {
            return _shards.Select(static shard => shard.Engine).OfType<ISessionEngine>().Aggregate(_retired, static (sum, engine) => sum.Plus(engine.ReadStats()));
        }
    }

    /// <summary>Serves an engine that stays its owner's.</summary>
    internal Shard Adopt(WorkerModel model, ISessionEngine engine)
    {
        lock (_gate)
        {
            var shard = new Shard(NextId(), model, engine.Info.Range, plan: null);
            shard.Serve(engine, loaded: null);
            _shards.Add(shard);
            SignalChange();
            return shard;
        }
    }

    /// <summary>Gives up loads that run or wait, and refuses further ones; the worker is about to stop.</summary>
    internal void StopLoading() => _stopping.Cancel();

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, 1) != 0)
        {
            return;
        }

        await _stopping.CancelAsync();
        await _turn.WaitAsync(); // until a load has noticed; nobody gets a turn after this
        var shards = Shards;
        foreach (var draining in shards.Where(static shard => shard.Phase == ShardPhase.Draining))
        {
            draining.AbortAll(Stopped);
        }

        await Task.WhenAll(shards.Select(shard => Retire(shard, TimeSpan.Zero, Stopped)));
    }

    /// <summary>Hands the KV blocks of all shards to the exchange, for a worker that is about to leave.</summary>
    /// <returns>Blocks handed over.</returns>
    /// <exception cref="OperationCanceledException">It was cancelled, or a shard ended meanwhile.</exception>
    internal async Task<int> HandOverBlocksAsync(CancellationToken cancellationToken)
    {
        var handed = await Task.WhenAll(Shards.Select(static shard => shard.Engine).OfType<ISessionEngine>()
            .Select(engine => engine.HandOverBlocksAsync(progress: null, cancellationToken)));
        return handed.Sum(static one => one.Handed);
    }

    private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>An engine that tells which blocks its cache has, if anybody wants to know.</summary>
    private ISessionEngine CreateEngine(Shard shard, LoadedShard loaded) =>
        _createEngine(loaded, Blocks?.Open(shard.Id, shard.Range, loaded.Shard.KvBlockCounts.Min()));

    private ISessionEngine CreateEngine(LoadedShard loaded, ExecutorOptions limits, ITokenSamplerFactory samplers) => loaded.IsWhole
        ? new Executor(loaded.Shard, samplers, limits, _clock)
        : new StageEngine(
            loaded.Shard,
            samplers,
            Links,
            new StageEngineOptions
            {
                Executor = limits,
                JournalBytes = Math.Max(StageEngineOptions.LeastJournalBytes, loaded.Plan.JournalBytes),
                JournalSpillFolder = _journalFolder,
                Logger = _log,
            },
            _clock);

    /// <summary>Under the lock.</summary>
    private string NextId() => $"s{++_count}";

    /// <summary>Under the lock.</summary>
    private void SignalChange()
    {
        _changed.TrySetResult();
        _changed = NewSignal();
    }
}
