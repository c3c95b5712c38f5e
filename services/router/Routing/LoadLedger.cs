using System.Collections.Immutable;

namespace Parallax.Router.Routing;

/// <summary>
/// Who is how busy: this router's own sessions to the number, other routers' by what workers report. Thread-safe.
/// </summary>
/// <remarks>
/// A report counts this router's sessions, too. What it says beyond those that were open when it came is others'; until
/// the next report that figure stands, and own sessions are added as they come and go. So none is counted twice.
/// </remarks>
internal sealed class LoadLedger
{
    private readonly Lock _gate = new(); // guards all fields, and the entries' contents
    private readonly Dictionary<ShardKey, Entry> _entries = [];
    private TaskCompletionSource? _change; // that somebody waits for

    /// <summary>Completes when a session ends or a worker reports, after this task was handed out: there may be room then.</summary>
    public Task Changed
    {
        get
        {
            lock (_gate)
            {
                _change ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                return _change.Task;
            }
        }
    }

    /// <summary>Sessions reserved at present, added up over all shards.</summary>
    public int Total
    {
        get
        {
            lock (_gate)
            {
                return _entries.Values.Sum(static entry => entry.Own);
            }
        }
    }

    /// <summary>This router's sessions on a worker.</summary>
    public int Own(string workerId)
    {
        lock (_gate)
        {
            return _entries.Where(entry => entry.Key.WorkerId == workerId).Sum(static entry => entry.Value.Own);
        }
    }

    /// <summary>Takes note of what a worker reports; shards that it no longer names are only this router's affair.</summary>
    public void Observe(WorkerReport report)
    {
        lock (_gate)
        {
            foreach (var (shard, entry) in _entries)
            {
                if (shard.WorkerId == report.WorkerId && !report.Shards.ContainsKey(shard.ShardId))
                {
                    entry.Forget();
                }
            }

            foreach (var (id, shard) in report.Shards)
            {
                EntryOf(new ShardKey(report.WorkerId, id)).Observe(shard.Load);
            }

            DropEmpty(report.WorkerId);
            NoteChange();
        }
    }

    /// <summary>The worker has left the map: what it reported counts no longer.</summary>
    public void Forget(string workerId)
    {
        lock (_gate)
        {
            foreach (var (shard, entry) in _entries)
            {
                if (shard.WorkerId == workerId)
                {
                    entry.Forget();
                }
            }

            DropEmpty(workerId);
        }
    }

    /// <summary>
    /// Chooses and reserves in one go, so that two requests never see the same room.
    /// </summary>
    /// <param name="map">Whose loads are wanted.</param>
    /// <param name="request">For what; its sessions are reserved.</param>
    /// <param name="choose">Chooses by the loads of the map's nodes; null when there is no path.</param>
    public (PathChoice Choice, PathReservation Reservation)? Reserve(
        PathMap map, PathRequest request, Func<ReadOnlySpan<StageLoad>, PathChoice?> choose)
    {
        lock (_gate)
        {
            if (choose(LoadsLocked(map)) is not { } choice)
            {
                return null;
            }

            var sessions = new SessionReservation[request.Sessions];
            for (var i = 0; i < sessions.Length; i++)
            {
                // Further sessions of a request find what the first computes; one that goes on elsewhere is refilled by its own measure.
                var prompt = i > 0 || request.Kept is not null ? 0 : Math.Max(0, request.PromptTokens - choice.CachedTokens);
                sessions[i] = new SessionReservation(this, choice.Shards, request.KvTokens, prompt);
                AddLocked(choice.Shards, 1, request.KvTokens, prompt);
            }

            return (choice, new PathReservation(sessions));
        }
    }

    /// <summary>How busy the nodes of a map are now.</summary>
    public StageLoad[] Loads(PathMap map)
    {
        lock (_gate)
        {
            return LoadsLocked(map);
        }
    }

    /// <summary>A session has ended; its reservation says so, maybe more than once.</summary>
    internal void Release(SessionReservation session)
    {
        lock (_gate)
        {
            if (session.IsReleased)
            {
                return;
            }

            session.IsReleased = true;
            AddLocked(session.Shards, -1, -session.KvTokens, -session.PromptTokens);
            foreach (var shard in session.Shards)
            {
                DropIfEmpty(shard);
            }

            NoteChange();
        }
    }

    /// <summary>A session's prompt has been computed; its reservation says so, maybe too late.</summary>
    internal void OnPromptComputed(SessionReservation session)
    {
        lock (_gate)
        {
            if (!session.IsReleased)
            {
                AddLocked(session.Shards, 0, 0, -session.PromptTokens);
                session.PromptTokens = 0;
            }
        }
    }

    private void AddLocked(ImmutableArray<ShardKey> shards, int sessions, long kvTokens, long promptTokens)
    {
        foreach (var shard in shards)
        {
            EntryOf(shard).Add(sessions, kvTokens, promptTokens);
        }
    }

    private void NoteChange()
    {
        _change?.SetResult(); // whoever waits goes on elsewhere, not under the lock
        _change = null;
    }

    private StageLoad[] LoadsLocked(PathMap map)
    {
        var loads = new StageLoad[map.Nodes.Length];
        for (var i = 0; i < loads.Length; i++)
        {
            loads[i] = _entries.GetValueOrDefault(map.Nodes[i].Key)?.Load ?? default;
        }

        return loads;
    }

    private Entry EntryOf(ShardKey shard)
    {
        if (!_entries.TryGetValue(shard, out var entry))
        {
            _entries.Add(shard, entry = new Entry());
        }

        return entry;
    }

    private void DropEmpty(string workerId)
    {
        foreach (var shard in _entries.Keys.Where(shard => shard.WorkerId == workerId).ToList())
        {
            DropIfEmpty(shard);
        }
    }

    private void DropIfEmpty(ShardKey shard)
    {
        if (_entries[shard].IsEmpty)
        {
            _entries.Remove(shard);
        }
    }

    /// <summary>One shard's figures.</summary>
    private sealed class Entry
    {
        private long _ownKv;
        private long _ownPrompts;
        private StageLoad? _reported;
        private int _ownThen;    // when the report came
        private long _ownKvThen;

        public int Own { get; private set; }

        public bool IsEmpty => Own == 0 && _reported is null;

        public StageLoad Load => _reported is { } reported
            ? new StageLoad(
                Math.Max(0, reported.Sessions - _ownThen) + Own,
                reported.Waiting,
                reported.KvTokensFree is { } free ? Math.Max(0, free - (_ownKv - _ownKvThen)) : null,
                _ownPrompts)
            : new StageLoad(Own, PromptTokens: _ownPrompts);

        public void Observe(StageLoad load)
        {
            _reported = load;
            (_ownThen, _ownKvThen) = (Own, _ownKv);
        }

        public void Forget() => _reported = null;

        public void Add(int sessions, long kvTokens, long promptTokens)
        {
            Own += sessions;
            _ownKv += kvTokens;
            _ownPrompts += promptTokens;
        }
    }
}
