using Parallax.Contracts.Identifiers;
using Parallax.Runtime.Execution;
using Parallax.Worker.Gpu.Control;

namespace Parallax.Worker.Gpu.Shards;

/// <summary>A range of a model's layers on this worker, its engine, and the sessions that use it. Thread-safe.</summary>
public sealed class Shard
{
    private readonly Lock _gate = new(); // guards everything below
    private readonly HashSet<WorkerSession> _sessions = [];
    private ShardPhase _phase = ShardPhase.Loading;
    private ISessionEngine? _engine;
    private LoadedShard? _loaded;
    private TaskCompletionSource? _idle;

    internal Shard(string id, WorkerModel model, LayerRange range, ShardPlan? plan)
    {
        Id = id;
        Model = model;
        Range = range;
        Plan = plan;
    }

    /// <summary>Names the shard on its worker.</summary>
    public string Id { get; }

    /// <summary>The whole model.</summary>
    public WorkerModel Model { get; }

    /// <summary>The layers.</summary>
    public LayerRange Range { get; }

    /// <summary>The memory it was admitted with; null for an engine that the worker did not load.</summary>
    public ShardPlan? Plan { get; }

    /// <summary>Whether all of the model is here.</summary>
    public bool IsWhole => Range.Count == Model.LayerCount;

    /// <summary>Where it is in its life.</summary>
    public ShardPhase Phase
    {
        get
        {
            lock (_gate)
            {
                return _phase;
            }
        }
    }

    /// <summary>What serves it; null while it loads, and once it is freed.</summary>
    public ISessionEngine? Engine
    {
        get
        {
            lock (_gate)
            {
                return _engine;
            }
        }
    }

    /// <summary>What was loaded; null while it loads, and for an engine that the worker did not load.</summary>
    public LoadedShard? Loaded
    {
        get
        {
            lock (_gate)
            {
                return _loaded;
            }
        }
    }

    /// <summary>Sessions that have not ended.</summary>
    public int SessionCount
    {
        get
        {
            lock (_gate)
            {
                return _sessions.Count;
            }
        }
    }

    /// <summary>Its way out while it drains; guarded by its host.</summary>
    internal Retirement? Retirement { get; set; }

    /// <summary>Takes sessions from now on.</summary>
    internal void Serve(ISessionEngine engine, LoadedShard? loaded)
    {
        lock (_gate)
        {
            (_engine, _loaded, _phase) = (engine, loaded, ShardPhase.Serving);
        }
    }

    /// <summary>Takes no new sessions.</summary>
    internal void Drain()
    {
        lock (_gate)
        {
            _phase = ShardPhase.Draining;
        }
    }

    /// <summary>Takes new sessions again.</summary>
    internal void ServeAgain()
    {
        lock (_gate)
        {
            _phase = ShardPhase.Serving;
        }
    }

    /// <summary>Takes the engine away, so that nobody calls it once it is disposed.</summary>
    internal void Free()
    {
        lock (_gate)
        {
            _engine = null;
        }
    }

    /// <summary>Counts a session in; false when the shard takes none.</summary>
    internal bool TryEnter(WorkerSession session)
    {
        lock (_gate)
        {
            return _phase == ShardPhase.Serving && _sessions.Add(session);
        }
    }

    /// <summary>A session has ended, or was refused.</summary>
    internal void Leave(WorkerSession session)
    {
        lock (_gate)
        {
            _sessions.Remove(session);
            if (_sessions.Count == 0)
            {
                _idle?.TrySetResult();
                _idle = null;
            }
        }
    }

    /// <summary>Ends all sessions with an error that says why.</summary>
    /// <returns>How many there were.</returns>
    internal int AbortAll(string error) => EndAll(session => session.Abort(error));

    /// <summary>Ends all sessions in order: routers let them go on elsewhere.</summary>
    /// <returns>How many there were.</returns>
    internal int CancelAll() => EndAll(static session => session.Engine?.Cancel(session.Id, session.Epoch));

    private int EndAll(Action<WorkerSession> end)
    {
        WorkerSession[] running;
        lock (_gate)
        {
            running = [.. _sessions];
        }

        foreach (var session in running)
        {
            end(session);
        }

        return running.Length;
    }

    /// <summary>Completes when no session runs.</summary>
    internal Task WhenIdleAsync()
    {
        lock (_gate)
        {
            return _sessions.Count == 0
                ? Task.CompletedTask
                : (_idle ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).Task;
        }
    }
}
