using System.Collections.Immutable;
using Parallax.Contracts.Identifiers;
using Parallax.Runtime.Batching;
using Parallax.Runtime.Blocks;
using Parallax.Runtime.KvCache;

namespace Parallax.Runtime.Execution;

/// <summary>
/// The life of sessions, as engines of whole models and of stages share it: opening and its refusals, leases, deadlines,
/// ends, what the scheduler is shown, and giving blocks back.
/// </summary>
/// <typeparam name="TSession">The engine's session.</typeparam>
internal abstract partial class SessionLoop<TSession> : SessionLoop
    where TSession : EngineSession
{
    private const int FailuresUntilUnhealthy = 3;

    private readonly ITokenSamplerFactory _samplers;
    private readonly BatchScheduler _scheduler;
    private readonly int _contextLimit;
    private readonly KvRoom[] _room;
    private SessionView[] _views = new SessionView[16];
    private int _failures;
    private int _lastDecodeRows;
    private int _lastPrefillRows;
    private bool _stopping;

    protected SessionLoop(
        IModelShard shard, ExecutorOptions options, BatchLimits limits, ITokenSamplerFactory samplers, BlockHasher? hasher, BlockOutputs? outputs = null)
    {
        ArgumentNullException.ThrowIfNull(shard);
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(samplers);
        options.Validate();
        Shard = shard;
        Options = options;
        _samplers = samplers;
        Cache = new PagedKvCache(shard.KvGroups, shard.KvBlockCounts, shard.NumericClass, hasher);
        Cache.Prefixes.Events = options.PrefixEvents;
        _scheduler = new BatchScheduler(limits);
        Table = new RequestTable<TSession>(options.MaxSessions);
        _room = new KvRoom[Cache.GroupCount];
        _contextLimit = Math.Min(options.ContextLimit ?? shard.Spec.MaxPositions, shard.Spec.MaxPositions);

        // An answer's last token is never computed: it needs no KV.
        var limit = (int)Math.Min(_contextLimit, (long)Cache.LongestSequence + 1);
        Info = new EngineInfo(shard.Range, shard.NumericClass, limit, options.MaxSessions, shard.Spec.VocabularySize);
        Counters = new EngineCounters { KvBlocksTotal = Cache.TotalBlocks };
        if (options.Measured is { } measured)
        {
            Counters.Timings.Begin(measured);
        }

        Outputs = outputs;

        // Where the results depend on the cut, another cut's blocks are no good.
        if (options.Blocks is { } blocks && shard.NumericClass.Links == LinkPrecision.Exact)
        {
            _layout = new BlockLayout(shard);
            Writer = new BlockWriter(Cache, shard, _layout, outputs, blocks, Counters);
        }
    }

    public sealed override EngineInfo Info { get; }

    public sealed override EngineCounters Counters { get; }

    public sealed override int SessionCount => Table.Sessions.Count;

    public override TimeSpan NextDue => Table.NextDue < RestoreDue ? Table.NextDue : RestoreDue;

    public override int LastRows => Batch.RowCount;

    public sealed override int LastDecodeRows => _lastDecodeRows;

    public sealed override int LastPrefillRows => _lastPrefillRows;

    /// <summary>The KV accounting.</summary>
    internal PagedKvCache Cache { get; }

    /// <summary>The sessions.</summary>
    internal RequestTable<TSession> Table { get; }

    protected IModelShard Shard { get; }

    /// <summary>Hidden states that leave the shard, kept beside its KV; null when they are not.</summary>
    protected BlockOutputs? Outputs { get; }

    protected ExecutorOptions Options { get; }

    /// <summary>The step at hand.</summary>
    protected StepBatch Batch { get; } = new();

    /// <summary>The scheduler's decision about the step at hand; indices are those of <see cref="Table"/>.</summary>
    protected StepPlan Plan { get; } = new();

    public override OpenResult Open(OpenRequest request, ISessionSink sink, TimeSpan now)
    {
        var held = Table.Find(request.Session);
        if (_stopping && held is null)
        {
            return Refuse(OpenRefusal.Stopping, "the engine is stopping: ask another worker");
        }

        if (OpenValidation.FindError(request, Info.VocabularySize) is { } error)
        {
            return Refuse(OpenRefusal.Invalid, error);
        }

        if (FindMisplaced(request) is { } misplaced)
        {
            return Refuse(OpenRefusal.Invalid, misplaced);
        }

        if (FindExcess(request) is { } excess)
        {
            return Refuse(OpenRefusal.TooLong, excess);
        }

        if (held is null && request.IsFence)
        {
            return Refuse(OpenRefusal.NotHeld, $"session {request.Session} is not held here");
        }

        if (held is not null && FindChange(held.Request, request) is { } change)
        {
            return Refuse(OpenRefusal.Invalid, change);
        }

        switch (Table.CheckOpen(request.Session, request.Epoch))
        {
            case OpenRefusal.Stale:
                return Refuse(OpenRefusal.Stale, $"session {request.Session} is open at epoch {Table.Find(request.Session)!.Epoch}, not below {request.Epoch}");
            case OpenRefusal.Busy:
                return Refuse(OpenRefusal.Busy, $"all {Options.MaxSessions} sessions are taken: try later");
        }

        if (held is not null)
        {
            return Fence(held, request, sink, now);
        }

        ITokenSampler sampler;
        try
        {
            sampler = RestoreSampler(request, request.AnswerTokenIds.AsSpan());
        }
        catch (Exception e)
        {
            return Refuse(OpenRefusal.Invalid, $"no sampler for these parameters: {e.Message}");
        }

        var capacity = request.PromptTokenIds.Length + request.Sampling.MaxTokens - 1;
        var session = CreateSession(request, sink, sampler, Cache.Open(request.CacheSalt, capacity));
        session.LeaseDue = After(now, Options.LeaseTime);
        session.DeadlineDue = request.TimeLeft is { } left ? After(now, left) : TimeSpan.MaxValue;
        session.CachedPrefix = Cache.Match(session.Sequence, session.TokenIds, session.MatchLimit);
        session.CachedTokens = session.CachedPrefix;
        Table.Add(session);
        OnOpened(session);
        PublishGauges();
        return new OpenResult(session.CachedPrefix, null, "");
    }

    public sealed override void Start(SessionId id, Epoch epoch, int keep, long nextIncarnation = 0, ImmutableArray<int> answer = default)
    {
        if (Table.Find(id, epoch) is not { State: SessionState.Opened } session)
        {
            return;
        }

        CallOff(session);
        var more = answer.IsDefault ? [] : answer.AsSpan();
        if (FindStartError(session, keep, more) is { } error)
        {
            End(session, FinishReason.Error, error);
            return;
        }

        var isResume = IsResume(session, more);
        session.SetAnswer(more);
        if (isResume)
        {
            try
            {
                session.Sampler = RestoreSampler(session.Request, session.AnswerTokenIds);
            }
            catch (Exception e)
            {
                End(session, FinishReason.Error, $"the sampler could not be restored: {e.GetType().Name}: {e.Message}");
                return;
            }
        }

        // Blocks may have been reclaimed since Open; then this engine has less than it said.
        session.MayMatch = isResume || keep == session.CachedPrefix;
        var applied = Cache.Truncate(session.Sequence, keep);
        if (isResume)
        {
            // With a part of the answer known, all stages of the path had come as far as that; before, nobody knows.
            session.ComputedBefore = session.Request.AnswerTokenIds.Length + more.Length > 0 ? keep : Math.Min(keep, session.ComputedBefore);
        }
        else
        {
            session.CachedTokens = applied;
        }

        OnStarted(session, keep, nextIncarnation);
        Table.Start(session);
    }

    public override void Acknowledge(SessionId id, Epoch epoch, int known) => Table.Find(id, epoch)?.Acknowledge(known);

    public override void Cancel(SessionId id, Epoch epoch)
    {
        if (Table.Find(id, epoch) is { } session)
        {
            End(session, FinishReason.Cancelled);
            PublishGauges();
        }
    }

    public override void Withdraw(SessionId id, Epoch epoch)
    {
        if (Table.Find(id, epoch) is { } session)
        {
            Remove(session, FinishReason.Cancelled);
            PublishGauges();
        }
    }

    public override void RenewLease(SessionId id, TimeSpan now)
    {
        if (Table.Find(id) is { } session)
        {
            RequestTable<TSession>.Renew(session, After(now, Options.LeaseTime));
        }
    }

    public override void Expire(TimeSpan now)
    {
        var any = false;
        while (Table.TakeExpired(now) is { } session)
        {
            End(session, session.DeadlineDue <= now ? FinishReason.Deadline : FinishReason.Cancelled);
            any = true;
        }

        if (any)
        {
            PublishGauges();
        }
    }

    public override void StopIntake()
    {
        _stopping = true;
        for (var i = Table.Sessions.Count - 1; i >= 0; i--)
        {
            if (Table.Sessions[i].State == SessionState.Opened)
            {
                End(Table.Sessions[i], FinishReason.Cancelled);
            }
        }
    }

    public override void EndAll(FinishReason reason, string error = "")
    {
        Writer?.Stop();
        while (Table.Sessions.Count > 0)
        {
            End(Table.Sessions[^1], reason, error);
        }

        PublishGauges();
    }

    public override void Abandon(string error)
    {
        _stopping = true;
        Writer?.Stop();
        foreach (var session in Table.Abandon())
        {
            CallOff(session);
            OnRemoved(session);
            Counters.AddEnd(FinishReason.Error);
            Notify(session, FinishReason.Error, error);
        }

        Counters.SetGauges(0, 0, 0, 0);
    }

    /// <summary>Why a request that is valid in itself does not belong here; null when it does.</summary>
    protected abstract string? FindMisplaced(OpenRequest request);

    protected abstract TSession CreateSession(OpenRequest request, ISessionSink sink, ITokenSampler sampler, KvSequence sequence);

    /// <summary>The session stops where it is, at a higher epoch: what is under way is void. Its own request is still the old one.</summary>
    protected virtual void OnFenced(TSession session, OpenRequest request)
    {
    }

    /// <summary>The session starts, or resumes: what it knows and holds has been cut to what the router says.</summary>
    protected virtual void OnStarted(TSession session, int keep, long nextIncarnation)
    {
    }

    protected virtual ITokenSampler CreateSampler(OpenRequest request, ITokenSamplerFactory samplers) =>
        samplers.Create(request.PromptTokenIds, request.Sampling, Info.VocabularySize);

    /// <summary>The session is in the table.</summary>
    protected virtual void OnOpened(TSession session)
    {
    }

    /// <summary>The session has ended or is about to leave the table.</summary>
    protected virtual void OnRemoved(TSession session)
    {
    }

    /// <summary>Sessions that still read known tokens take the blocks that others have computed since.</summary>
    protected void ExtendFromCache()
    {
        var running = 0;
        for (var i = 0; i < Table.Sessions.Count; i++)
        {
            running += Table.Sessions[i].IsRunning ? 1 : 0;
        }

        for (var i = 0; i < Table.Sessions.Count; i++)
        {
            var session = Table.Sessions[i];
            if (!session.MayMatch
                || !(session.State == SessionState.Prefilling || (session.State == SessionState.Waiting && running < Options.MaxBatch)))
            {
                continue;
            }

            var before = session.Sequence.Length;
            var after = Cache.Match(session.Sequence, session.TokenIds, session.MatchLimit);
            if (session is { Generated: 0, Preemptions: 0 })
            {
                session.CachedTokens += after - before;
            }
        }
    }

    /// <summary>Plans until nobody needs to give blocks back first.</summary>
    /// <param name="maxDecodeRows">Most decode rows in the step.</param>
    /// <param name="othersDecode">Whether sessions decode that have no row here now.</param>
    protected void PlanStep(int maxDecodeRows = int.MaxValue, bool othersDecode = false)
    {
        while (true)
        {
            View();
            _scheduler.Plan(_views.AsSpan(0, Table.Sessions.Count), Table.Service, _room, Plan, maxDecodeRows, othersDecode);
            if (Plan.Victim != StepPlan.None)
            {
                Preempt(Table.Sessions[Plan.Victim]);
            }
            else if (Plan.Stuck != StepPlan.None)
            {
                var session = Table.Sessions[Plan.Stuck];
                End(session, FinishReason.Error, $"the KV cache of {Cache.TotalBlocks} blocks cannot hold {session.TokenCount} tokens of one session");
            }
            else
            {
                return;
            }
        }
    }

    /// <summary>What the scheduler is shown of a session.</summary>
    protected abstract SessionView ViewOf(TSession session);

    /// <summary>Takes a session's blocks: it computes them again later.</summary>
    protected abstract void Preempt(TSession session);

    private void View()
    {
        for (var g = 0; g < _room.Length; g++)
        {
            _room[g] = new KvRoom(Cache.Available(g), Cache.PeakBlocks(g, int.MaxValue, KvGroup.BlockTokens));
        }

        if (_views.Length < Table.Sessions.Count)
        {
            Array.Resize(ref _views, Math.Max(Table.Sessions.Count, _views.Length * 2));
        }

        for (var i = 0; i < Table.Sessions.Count; i++)
        {
            _views[i] = ViewOf(Table.Sessions[i]);
        }
    }

    /// <summary>Marks the admitted sessions, before the batch is filled.</summary>
    protected void AdmitPlanned()
    {
        foreach (var index in Plan.Admitted)
        {
            Table.Sessions[index].State = SessionState.Prefilling;
            Table.Sessions[index].Bypassed = 0;
        }

        if (Plan.AdmittedPast > 0)
        {
            Table.Sessions[Plan.Bypassed].Bypassed += Plan.AdmittedPast;
        }
    }

    /// <summary>The step succeeded.</summary>
    protected void OnStepped()
    {
        _failures = 0;
        Fault = null;
        Counters.AddStep(Plan.PrefillRows, Plan.DecodeRows);

        // A stage may have put planned rows off and computed others again: then the time is that of some other batch.
        var isAsPlanned = Batch.RowCount == Plan.DecodeRows + Plan.PrefillRows;
        (_lastDecodeRows, _lastPrefillRows) = isAsPlanned ? (Plan.DecodeRows, Plan.PrefillRows) : (0, 0);
    }

    /// <summary>The step failed: its sessions end; nothing that it may have half-written was committed.</summary>
    protected void FailStep(Exception cause, IEnumerable<TSession> sessions)
    {
        var error = $"the model failed in a step of {Batch.RowCount} rows: {cause.GetType().Name}: {cause.Message}";
        (_lastDecodeRows, _lastPrefillRows) = (0, 0);
        if (++_failures >= FailuresUntilUnhealthy)
        {
            Fault = $"{_failures} steps in a row failed; the last: {error}";
        }

        foreach (var session in sessions)
        {
            End(session, FinishReason.Error, error);
        }
    }

    /// <summary>Draws token <paramref name="index"/> of the answer; false when that ended the session.</summary>
    protected bool TryDraw(TSession session, Span<float> logits, int index, out TokenChoice choice)
    {
        choice = default;
        try
        {
            choice = session.Sampler.Sample(logits, index);
        }
        catch (Exception e)
        {
            End(session, FinishReason.Error, $"sampling token {index} failed: {e.GetType().Name}: {e.Message}");
            return false;
        }

        if ((uint)choice.TokenId >= (uint)Info.VocabularySize)
        {
            End(session, FinishReason.Error, $"the sampler drew id {choice.TokenId} as token {index}, outside the vocabulary [0,{Info.VocabularySize})");
            return false;
        }

        return true;
    }

    /// <summary>Counts what is computed though it had been before.</summary>
    protected void NoteComputed(TSession session, int start, int count) =>
        Counters.AddRecomputed(Math.Clamp(session.ComputedBefore - start, 0, count));

    /// <summary>Ends a session whose logits cannot be sampled from; false when it did.</summary>
    protected bool CheckLogits(TSession session, ReadOnlySpan<float> logits, int index)
    {
        if (LogitCheck.IsSound(logits))
        {
            return true;
        }

        // What it has computed may be as unsound: nobody else must find it in the prefix cache.
        End(session, FinishReason.Error, $"the logits of token {index} are not finite numbers", forget: true);
        return false;
    }

    /// <summary>Takes the next token of the answer and tells the sink; false when it was the last, or could not be taken.</summary>
    protected bool Adopt(TSession session, in TokenChoice choice)
    {
        if (session.Generated == 0)
        {
            Counters.AddPrefixHit(session.CachedTokens);
        }

        var token = new EmittedToken(session.Id, session.Epoch, session.Generated, choice.TokenId, choice.LogProb, choice.TopLogProbs);
        try
        {
            session.Append(choice.TokenId);
            session.State = SessionState.Decoding;
            session.Sink.OnToken(in token);
        }
        catch (Exception e)
        {
            End(session, FinishReason.Error, $"taking token {token.Index} failed: {e.GetType().Name}: {e.Message}");
            return false;
        }

        if (session.Request.Sampling.StopTokenIds.AsSpan().Contains(choice.TokenId))
        {
            End(session, FinishReason.Stop);
            return false;
        }

        if (session.Generated == session.Request.Sampling.MaxTokens)
        {
            End(session, FinishReason.Length);
            return false;
        }

        return true;
    }

    /// <summary>What a Fence may not change; null when it does not.</summary>
    private static string? FindChange(OpenRequest held, OpenRequest request) =>
        !held.PromptTokenIds.AsSpan().SequenceEqual(request.PromptTokenIds.AsSpan()) ? $"session {request.Session} is held with another prompt"
        : held.Sampling.MaxTokens != request.Sampling.MaxTokens ? $"session {request.Session} is held with max tokens {held.Sampling.MaxTokens}, not {request.Sampling.MaxTokens}"
        : null;

    private OpenResult Fence(TSession session, OpenRequest request, ISessionSink sink, TimeSpan now)
    {
        CallOff(session);
        OnFenced(session, request);
        RequestTable<TSession>.Fence(session);
        var before = session.Sink;
        var epoch = session.Epoch;
        session.Fence(request, sink);
        session.LeaseDue = After(now, Options.LeaseTime);
        session.DeadlineDue = request.TimeLeft is { } left ? After(now, left) : TimeSpan.MaxValue;
        if (!ReferenceEquals(before, sink))
        {
            Notify(session, before, epoch, FinishReason.Cancelled, "");
        }

        PublishGauges();
        return new OpenResult(session.Sequence.Length, null, "");
    }

    private ITokenSampler RestoreSampler(OpenRequest request, ReadOnlySpan<int> answer)
    {
        var sampler = CreateSampler(request, _samplers);
        foreach (var id in answer)
        {
            sampler.Append(id);
        }

        return sampler;
    }

    /// <summary>Whether a Start is a Resume: the path has changed since the first Open, here or elsewhere, or a part of the answer is known.</summary>
    private static bool IsResume(TSession session, ReadOnlySpan<int> more) =>
        session.IsFenced || session.Epoch.N > 0 || session.Request.AnswerTokenIds.Length + more.Length > 0;

    private string? FindStartError(TSession session, int keep, ReadOnlySpan<int> more)
    {
        foreach (var id in more)
        {
            if ((uint)id >= (uint)Info.VocabularySize)
            {
                return $"Start brings id {id}, outside the vocabulary [0,{Info.VocabularySize})";
            }
        }

        var answer = session.Request.AnswerTokenIds.Length + more.Length;
        if (answer >= session.Request.Sampling.MaxTokens)
        {
            return $"Start brings {answer} tokens of an answer of at most {session.Request.Sampling.MaxTokens}: it is complete";
        }

        if (IsResume(session, more))
        {
            var known = session.PromptLength + answer;
            return keep < 0 || keep >= known ? $"Resume asks to keep {keep} positions of {known} known tokens: 0 to {known - 1}" : null;
        }

        return keep < 0 || keep > session.CachedPrefix || keep % KvGroup.BlockTokens != 0
            ? $"Start asks to keep {keep} tokens: a multiple of {KvGroup.BlockTokens}, 0 to {session.CachedPrefix}"
            : null;
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
        return positions > Cache.LongestSequence
            ? $"prompt ({prompt}) and answer (up to {answer}) need KV for {positions} positions; the cache holds {Cache.LongestSequence} when a session is alone"
            : null;
    }

    protected void End(TSession session, FinishReason reason, string error = "", bool forget = false)
    {
        Remove(session, reason, forget);
        Notify(session, reason, error);
    }

    private void Notify(TSession session, FinishReason reason, string error) => Notify(session, session.Sink, session.Epoch, reason, error);

    private void Notify(TSession session, ISessionSink sink, Epoch epoch, FinishReason reason, string error)
    {
        var end = new SessionEnd(session.Id, epoch, reason, session.PromptLength, session.CachedTokens, session.Generated, error);
        try
        {
            sink.OnFinished(in end);
        }
        catch (Exception e)
        {
            // A sink must not throw. The session is over and freed; that its owner was not told is the owner's fault,
            // which must not reach the other sessions.
            Counters.NoteSinkFault(session.Id, e);
        }
    }

    private void Remove(TSession session, FinishReason reason, bool forget = false)
    {
        CallOff(session);
        OnRemoved(session);
        Cache.Close(session.Sequence, forget);
        Table.Remove(session);
        Counters.AddEnd(reason);
    }

    protected void PublishGauges()
    {
        var running = 0;
        var waiting = 0;
        for (var i = 0; i < Table.Sessions.Count; i++)
        {
            running += Table.Sessions[i].IsRunning ? 1 : 0;
            waiting += Table.Sessions[i].State == SessionState.Waiting ? 1 : 0;
        }

        Counters.SetGauges(running, waiting, Cache.UsedBlocks, Cache.CachedBlocks);
    }
}
