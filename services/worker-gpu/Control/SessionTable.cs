using Parallax.Contracts.Identifiers;

namespace Parallax.Worker.Gpu.Control;

/// <summary>
/// The sessions whose tokens this worker can still send: those that run, and those that ended less than the retention
/// time ago (session protocol, rule 9). Running ones are bounded by the engine, ended ones by time and by the number
/// of ids they hold. Thread-safe.
/// </summary>
internal sealed class SessionTable(TimeProvider clock, TimeSpan retention, int maxRetainedIds)
{
    private readonly Lock _gate = new(); // guards everything below
    private readonly Dictionary<SessionId, WorkerSession> _sessions = [];
    private readonly Queue<(long EndedAt, int Ids, WorkerSession Session)> _ended = new();
    private long _retainedIds;
    private int _active;
    private TaskCompletionSource? _idle;

    /// <summary>Sessions that have not ended.</summary>
    public int ActiveCount
    {
        get
        {
            lock (_gate)
            {
                return _active;
            }
        }
    }

    /// <summary>Ended sessions whose ids are held.</summary>
    public int RetainedCount
    {
        get
        {
            lock (_gate)
            {
                Purge();
                return _ended.Count;
            }
        }
    }

    /// <summary>Finds a session, running or ended.</summary>
    public WorkerSession? Find(SessionId id)
    {
        lock (_gate)
        {
            Purge();
            return _sessions.GetValueOrDefault(id);
        }
    }

    /// <summary>Adds a session that is about to be opened; it replaces one of a lower epoch.</summary>
    public void Add(WorkerSession session)
    {
        lock (_gate)
        {
            Purge();
            _sessions[session.Id] = session;
            _active++;
        }
    }

    /// <summary>Removes a session whose Open was refused.</summary>
    public void RemoveRefused(WorkerSession session)
    {
        lock (_gate)
        {
            Forget(session);
            Deactivate();
        }
    }

    /// <summary>A session ended with so many ids; it is kept for the retention time.</summary>
    public void OnEnded(WorkerSession session, int ids)
    {
        lock (_gate)
        {
            _ended.Enqueue((clock.GetTimestamp(), ids, session));
            _retainedIds += ids;
            Deactivate();
            Purge();
        }
    }

    /// <summary>All sessions at this moment.</summary>
    public IReadOnlyList<WorkerSession> Snapshot()
    {
        lock (_gate)
        {
            return [.. _sessions.Values];
        }
    }

    /// <summary>Completes when no session runs.</summary>
    public Task WhenIdleAsync()
    {
        lock (_gate)
        {
            return _active == 0
                ? Task.CompletedTask
                : (_idle ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).Task;
        }
    }

    private void Deactivate()
    {
        if (--_active == 0)
        {
            _idle?.TrySetResult();
            _idle = null;
        }
    }

    private void Purge()
    {
        while (_ended.TryPeek(out var oldest)
            && (_retainedIds > maxRetainedIds || clock.GetElapsedTime(oldest.EndedAt) >= retention))
        {
            _ended.Dequeue();
            _retainedIds -= oldest.Ids;
            Forget(oldest.Session);
        }
    }

    private void Forget(WorkerSession session)
    {
        // A session of a higher epoch may have taken the place.
        if (_sessions.TryGetValue(session.Id, out var present) && ReferenceEquals(present, session))
        {
            _sessions.Remove(session.Id);
        }
    }
}
