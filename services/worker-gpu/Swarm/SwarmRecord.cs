using Parallax.Contracts.V1;
using Parallax.Runtime.Execution;
using Parallax.Swarm.Members;
using Parallax.Worker.Gpu.Control;
using Parallax.Worker.Gpu.Shards;
using Shard = Parallax.Worker.Gpu.Shards.Shard;

namespace Parallax.Worker.Gpu.Swarm;

/// <summary>What a worker says of itself, from what it really has. Thread-safe.</summary>
internal sealed class SwarmRecord : IMemberRecord
{
    private readonly Lock _gate = new(); // guards everything that changes
    private readonly ShardHost _shards;
    private readonly Device _device;
    private readonly string _name;
    private readonly Func<IReadOnlyList<HeldModel>> _held;
    private TaskCompletionSource _changed = NewSignal();
    private (ShardKey Key, int Layers, LoadProgress Progress)? _load;
    private Intent? _intent;
    private string _problem = "";
    private string _fetching = "";
    private bool _isReady;
    private bool _isLeaving;
    private EngineStats? _before;

    /// <param name="shards">The worker's shards.</param>
    /// <param name="device">What the machine can do.</param>
    /// <param name="name">What people call the worker.</param>
    /// <param name="held">Models whose files are here.</param>
    public SwarmRecord(ShardHost shards, Device device, string name, Func<IReadOnlyList<HeldModel>> held)
    {
        (_shards, _device, _name, _held) = (shards, device, name, held);
        LoadProgress = new Progress(this);
    }

    /// <summary>Where a load tells how far it is.</summary>
    public IProgress<LoadProgress> LoadProgress { get; }

    /// <summary>Whether it wants to be rid of everything.</summary>
    public bool IsLeaving
    {
        get
        {
            lock (_gate)
            {
                return _isLeaving;
            }
        }
    }

    /// <summary>Why it does not follow the plan; empty when it does.</summary>
    public string Problem
    {
        set => Change(ref _problem, value);
    }

    /// <summary>What it fetches, for people; empty: nothing.</summary>
    public string Fetching
    {
        set => Change(ref _fetching, value);
    }

    /// <summary>What it is about to take without a scheduler.</summary>
    public Intent? Intent
    {
        get
        {
            lock (_gate)
            {
                return _intent;
            }
        }

        set => Change(ref _intent, value);
    }

    /// <inheritdoc/>
    public Task Changed
    {
        get
        {
            Task own;
            lock (_gate)
            {
                own = _changed.Task;
            }

            return Task.WhenAny(own, _shards.Changed);
        }
    }

    /// <summary>The worker can be dialled and may be given layers.</summary>
    public void BecomeReady() => Change(ref _isReady, true);

    /// <summary>The worker leaves.</summary>
    public void Leave() => Change(ref _isLeaving, true);

    /// <summary>A load began.</summary>
    public void BeginLoad(ShardKey key, int layers)
    {
        lock (_gate)
        {
            _load = (key, layers, default);
        }

        Signal();
    }

    /// <summary>It ended.</summary>
    public void EndLoad()
    {
        lock (_gate)
        {
            _load = null;
            _fetching = "";
        }

        Signal();
    }

    /// <inheritdoc/>
    public WorkerRecord Describe()
    {
        var record = new WorkerRecord { Incarnation = _shards.Incarnation, Name = _name, Device = _device.Clone(), Build = BuildVersion };
        record.Device.MemoryBytes = _shards.Memory.Limit;
        record.Models.Add(_held());
        record.Shards.Add(_shards.Shards.Where(static shard => shard.Engine is not null).Select(ToWire));
        lock (_gate)
        {
            if (_load is { } load)
            {
                record.Shards.Add(ToWire(load.Key, load.Layers, load.Progress));
            }

            record.Phase = _isLeaving ? WorkerPhase.Draining
                : !_isReady ? WorkerPhase.Joining
                : _load is not null ? WorkerPhase.Loading
                : record.Shards.Any(static shard => shard.State == ShardState.Serving) ? WorkerPhase.Serving
                : WorkerPhase.Standby;
            record.Problem = _problem.Length > 0 ? _problem : _fetching;
            record.Intent = _intent;
            record.Load = MeasureLoad();
        }

        return record;
    }

    private static string BuildVersion { get; } = typeof(SwarmRecord).Assembly.GetName().Version?.ToString(3) ?? "";

    private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Under the lock.</summary>
    private Load MeasureLoad()
    {
        var stats = _shards.ReadStats();
        var load = new Load { Sessions = stats.RunningSessions, Waiting = stats.WaitingSessions };
        if (_before is { } before && stats.UpTime > before.UpTime)
        {
            load.Busy = Math.Round(Math.Clamp((stats.BusyTime - before.BusyTime) / (stats.UpTime - before.UpTime), 0, 1), 2);
        }

        _before = stats;
        return load;
    }

    private static ServingShard ToWire(Shard shard)
    {
        var stats = shard.Engine?.ReadStats();
        var wire = new ServingShard
        {
            Model = WorkerMapping.ToWire(shard),
            State = shard.Phase == ShardPhase.Serving ? ShardState.Serving : ShardState.Draining,
            Sessions = shard.SessionCount,
            WeightBytes = shard.Plan?.WeightBytes ?? 0,
            KvBytes = shard.Plan?.KvBytes ?? 0,
            LayersLoaded = shard.Range.Count,
        };
        if (stats is not null)
        {
            StepTimes.Write(stats, wire);
            wire.WaitingSessions = stats.WaitingSessions;
            wire.KvTokensTotal = (long)stats.KvBlocksTotal * KvBlockTokens;
            wire.KvTokensFree = (long)(stats.KvBlocksTotal - stats.KvBlocksUsed) * KvBlockTokens;
        }

        return wire;
    }

    private const int KvBlockTokens = 16;

    private static ServingShard ToWire(ShardKey key, int layers, LoadProgress progress) => new()
    {
        Model = new ServedModel
        {
            Name = key.Model,
            LayerStart = key.Range.Start,
            LayerEnd = key.Range.End,
            LayerCount = layers,
            NumericClass = new Contracts.V1.NumericClass { WeightsHash = key.WeightsHash, LinksQ8 = key.IsQ8 },
        },
        State = ShardState.Loading,
        LayersLoaded = progress.LayersLoaded,
        WeightBytes = progress.BytesLoaded,
    };

    private void Change<T>(ref T field, T value)
    {
        lock (_gate)
        {
            if (EqualityComparer<T>.Default.Equals(field, value))
            {
                return;
            }

            field = value;
        }

        Signal();
    }

    private void Signal()
    {
        TaskCompletionSource changed;
        lock (_gate)
        {
            changed = _changed;
            _changed = NewSignal();
        }

        changed.TrySetResult();
    }

    private sealed class Progress(SwarmRecord owner) : IProgress<LoadProgress>
    {
        public void Report(LoadProgress value)
        {
            lock (owner._gate)
            {
                if (owner._load is { } load)
                {
                    owner._load = load with { Progress = value };
                }
            }
        }
    }
}
