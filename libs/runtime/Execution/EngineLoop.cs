using Parallax.Contracts.Identifiers;
using Parallax.Runtime.Batching;
using Parallax.Runtime.KvCache;

namespace Parallax.Runtime.Execution;

/// <summary>
/// All of the engine that is not a thread: sessions come in by calls, <see cref="Step"/> computes one batch, tokens go
/// out to sinks. One thread calls it; time is a parameter (since the engine's start). See <see cref="Executor"/>.
/// </summary>
internal sealed partial class EngineLoop
{
    private readonly IModelShard _shard;
    private readonly ExecutorOptions _options;
    private readonly ITokenSamplerFactory _samplers;
    private readonly PagedKvCache _cache;
    private readonly BatchScheduler _scheduler;
    private readonly RequestTable _table;
    private readonly int _contextLimit;
    private bool _stopping;

    public EngineLoop(IModelShard shard, ExecutorOptions options, ITokenSamplerFactory samplers, BlockHasher? hasher = null)
    {
        ArgumentNullException.ThrowIfNull(shard);
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(samplers);
        options.Validate();
        if (!shard.HasEmbedding || !shard.HasHead)
        {
            throw new ArgumentException(
                $"the shard of layers {shard.Range} lacks the embedding or the head: this engine runs whole models", nameof(shard));
        }

        _shard = shard;
        _options = options;
        _samplers = samplers;
        _cache = new PagedKvCache(shard.KvGroups, shard.KvBlockCounts, shard.NumericClass, hasher);
        _scheduler = new BatchScheduler(options.Limits);
        _table = new RequestTable(options.MaxSessions);
        _room = new KvRoom[_cache.GroupCount];
        _contextLimit = Math.Min(options.ContextLimit ?? shard.Spec.MaxPositions, shard.Spec.MaxPositions);

        // An answer's last token is never computed: it needs no KV.
        var limit = (int)Math.Min(_contextLimit, (long)_cache.LongestSequence + 1);
        Info = new EngineInfo(shard.Range, shard.NumericClass, limit, options.MaxSessions, shard.Spec.VocabularySize);
        Counters = new EngineCounters { KvBlocksTotal = _cache.TotalBlocks };
    }

    /// <summary>What is served.</summary>
    public EngineInfo Info { get; }

    /// <summary>Counters and gauges.</summary>
    public EngineCounters Counters { get; }

    /// <summary>Sessions in the table.</summary>
    public int SessionCount => _table.Sessions.Count;

    /// <summary>When the next lease or deadline may pass; TimeSpan.MaxValue for never.</summary>
    public TimeSpan NextDue => _table.NextDue;

    /// <summary>The KV accounting (tests).</summary>
    internal PagedKvCache Cache => _cache;

    /// <summary>The sessions (tests).</summary>
    internal RequestTable Table => _table;

    /// <summary>Opens a session or refuses it; see <see cref="ISessionEngine.OpenAsync"/>.</summary>
    public OpenResult Open(OpenRequest request, ISessionSink sink, TimeSpan now)
    {
        if (_stopping)
        {
            return Refuse(OpenRefusal.Stopping, "the engine is stopping: ask another worker");
        }

        if (OpenValidation.FindError(request, Info.VocabularySize) is { } error)
        {
            return Refuse(OpenRefusal.Invalid, error);
        }

        if (FindExcess(request) is { } excess)
        {
            return Refuse(OpenRefusal.TooLong, excess);
        }

        switch (_table.CheckOpen(request.Session, request.Epoch))
        {
            case OpenRefusal.Stale:
                return Refuse(OpenRefusal.Stale, $"session {request.Session} is open at epoch {_table.Find(request.Session)!.Epoch}, not below {request.Epoch}");
            case OpenRefusal.Busy:
                return Refuse(OpenRefusal.Busy, $"all {_options.MaxSessions} sessions are taken: try later");
        }

        ITokenSampler sampler;
        try
        {
            sampler = _samplers.Create(request.PromptTokenIds, request.Sampling, Info.VocabularySize);
        }
        catch (Exception e)
        {
            return Refuse(OpenRefusal.Invalid, $"no sampler for these parameters: {e.Message}");
        }

        if (_table.Find(request.Session) is { } older)
        {
            End(older, FinishReason.Cancelled);
        }

        var capacity = request.PromptTokenIds.Length + request.Sampling.MaxTokens - 1;
        var session = new EngineSession(request, sink, sampler, _cache.Open(request.CacheSalt, capacity))
        {
            LeaseDue = After(now, _options.LeaseTime),
            DeadlineDue = request.TimeLeft is { } left ? After(now, left) : TimeSpan.MaxValue,
        };
        session.CachedPrefix = _cache.Match(session.Sequence, session.TokenIds, session.MatchLimit);
        session.CachedTokens = session.CachedPrefix;
        _table.Add(session);
        PublishGauges();
        return new OpenResult(session.CachedPrefix, null, "");
    }

    /// <summary>See <see cref="ISessionEngine.Start"/>.</summary>
    public void Start(SessionId id, Epoch epoch, int keep)
    {
        if (_table.Find(id, epoch) is not { State: SessionState.Opened } session)
        {
            return;
        }

        if (keep < 0 || keep > session.CachedPrefix || keep % KvGroup.BlockTokens != 0)
        {
            End(session, FinishReason.Error, $"Start asks to keep {keep} tokens: a multiple of {KvGroup.BlockTokens}, 0 to {session.CachedPrefix}");
            return;
        }

        // Asked for less than is cached, the session starts there: other stages of its path need the positions from
        // there on. What it held may also have been reclaimed since Open; then it computes more.
        session.MayMatch = keep == session.CachedPrefix;
        session.CachedTokens = _cache.Truncate(session.Sequence, keep);
        _table.Start(session);
    }

    /// <summary>See <see cref="ISessionEngine.Acknowledge"/>.</summary>
    public void Acknowledge(SessionId id, Epoch epoch, int known) => _table.Find(id, epoch)?.Acknowledge(known);

    /// <summary>See <see cref="ISessionEngine.Cancel"/>.</summary>
    public void Cancel(SessionId id, Epoch epoch)
    {
        if (_table.Find(id, epoch) is { } session)
        {
            End(session, FinishReason.Cancelled);
            PublishGauges();
        }
    }

    /// <summary>Takes back an Open whose caller has gone; its sink hears nothing.</summary>
    public void Withdraw(SessionId id, Epoch epoch)
    {
        if (_table.Find(id, epoch) is { } session)
        {
            Remove(session, FinishReason.Cancelled);
            PublishGauges();
        }
    }

    /// <summary>See <see cref="ISessionEngine.RenewLease"/>.</summary>
    public void RenewLease(SessionId id, TimeSpan now)
    {
        if (_table.Find(id) is { } session)
        {
            RequestTable.Renew(session, After(now, _options.LeaseTime));
        }
    }

    /// <summary>Ends the sessions whose lease or deadline has passed.</summary>
    public void Expire(TimeSpan now)
    {
        var any = false;
        while (_table.TakeExpired(now) is { } session)
        {
            End(session, session.DeadlineDue <= now ? FinishReason.Deadline : FinishReason.Cancelled);
            any = true;
        }

        if (any)
        {
            PublishGauges();
        }
    }

    /// <summary>From now on Opens are refused; sessions that were not started end.</summary>
    public void StopIntake()
    {
        _stopping = true;
        for (var i = _table.Sessions.Count - 1; i >= 0; i--)
        {
            if (_table.Sessions[i].State == SessionState.Opened)
            {
                End(_table.Sessions[i], FinishReason.Cancelled);
            }
        }
    }

    /// <summary>Ends all sessions.</summary>
    public void EndAll(FinishReason reason, string error = "")
    {
        while (_table.Sessions.Count > 0)
        {
            End(_table.Sessions[^1], reason, error);
        }

        PublishGauges();
    }

    /// <summary>Tells all sessions of an error that leaves the accounting in doubt, without touching it; the loop is over.</summary>
    public void Abandon(string error)
    {
        _stopping = true;
        foreach (var session in _table.Abandon())
        {
            Counters.AddEnd(FinishReason.Error);
            Notify(session, FinishReason.Error, error);
        }

        Counters.SetGauges(0, 0, 0, 0);
    }

    private static OpenResult Refuse(OpenRefusal refusal, string message) => new(0, refusal, message);

    private static TimeSpan After(TimeSpan now, TimeSpan time) => time > TimeSpan.MaxValue - now ? TimeSpan.MaxValue : now + time;

    private string? FindExcess(OpenRequest request)
    {
        var prompt = request.PromptTokenIds.Length;
        var answer = request.Sampling.MaxTokens;
        if ((long)prompt + answer > _contextLimit)
        {
            return $"prompt ({prompt}) and answer (up to {answer}) exceed the context limit of {_contextLimit} tokens";
        }

        var positions = prompt + answer - 1;
        return positions > _cache.LongestSequence
            ? $"prompt ({prompt}) and answer (up to {answer}) need KV for {positions} positions; the cache holds {_cache.LongestSequence} when a session is alone"
            : null;
    }

    private void End(EngineSession session, FinishReason reason, string error = "", bool forget = false)
    {
        Remove(session, reason, forget);
        Notify(session, reason, error);
    }

    private void Notify(EngineSession session, FinishReason reason, string error)
    {
        var end = new SessionEnd(
            session.Id, session.Epoch, reason, session.PromptLength, session.CachedTokens, session.Generated, error);
        try
        {
            session.Sink.OnFinished(in end);
        }
        catch (Exception e)
        {
            // A sink must not throw. The session is over and freed; that its owner was not told is the owner's fault,
            // which must not reach the other sessions.
            Counters.NoteSinkFault(session.Id, e);
        }
    }

    private void Remove(EngineSession session, FinishReason reason, bool forget = false)
    {
        _cache.Close(session.Sequence, forget);
        _table.Remove(session);
        Counters.AddEnd(reason);
    }

    private void PublishGauges()
    {
        var running = 0;
        var waiting = 0;
        for (var i = 0; i < _table.Sessions.Count; i++)
        {
            running += _table.Sessions[i].IsRunning ? 1 : 0;
            waiting += _table.Sessions[i].State == SessionState.Waiting ? 1 : 0;
        }

        Counters.SetGauges(running, waiting, _cache.UsedBlocks, _cache.CachedBlocks);
    }
}
