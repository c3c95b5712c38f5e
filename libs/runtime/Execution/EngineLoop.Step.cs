using System.Runtime.InteropServices;
using Parallax.Runtime.Batching;
using Parallax.Runtime.KvCache;

namespace Parallax.Runtime.Execution;

internal sealed partial class EngineLoop
{
    private const int FailuresUntilUnhealthy = 3;

    private readonly StepBatch _batch = new();
    private readonly StepPlan _plan = new();
    private readonly KvRoom[] _room;
    private readonly List<(EngineSession Session, int Count)> _rows = [];
    private SessionView[] _views = new SessionView[16];
    private float[] _logits = [];
    private int _failures;

    /// <summary>Rows of the last step.</summary>
    public int LastRows => _batch.RowCount;

    /// <summary>Why the engine is unhealthy: the last of three or more steps that failed in a row; null when it is well.</summary>
    public string? Fault { get; private set; }

    /// <summary>
    /// Computes one batch: plan, reserve, forward, sample, emit, commit.
    /// </summary>
    /// <returns>False when nothing can be computed before a call or a time changes something.</returns>
    public bool Step()
    {
        ExtendFromCache();
        PlanStep();
        FillBatch();
        if (_rows.Count > 0)
        {
            Compute();
        }

        PublishGauges();
        return _rows.Count > 0;
    }

    /// <summary>Sessions that still read known tokens take the blocks that others have computed since.</summary>
    private void ExtendFromCache()
    {
        var running = 0;
        for (var i = 0; i < _table.Sessions.Count; i++)
        {
            running += _table.Sessions[i].IsRunning ? 1 : 0;
        }

        for (var i = 0; i < _table.Sessions.Count; i++)
        {
            var session = _table.Sessions[i];
            if (!session.MayMatch
                || !(session.State == SessionState.Prefilling || (session.State == SessionState.Waiting && running < _options.MaxBatch)))
            {
                continue;
            }

            var before = session.Sequence.Length;
            var after = _cache.Match(session.Sequence, session.TokenIds, session.MatchLimit);
            if (session is { Generated: 0, Preemptions: 0 })
            {
                session.CachedTokens += after - before;
            }
        }
    }

    /// <summary>Plans until nobody needs to give blocks back first.</summary>
    private void PlanStep()
    {
        while (true)
        {
            View();
            _scheduler.Plan(_views.AsSpan(0, _table.Sessions.Count), _table.Service, _room, _plan);
            if (_plan.Victim != StepPlan.None)
            {
                Preempt(_table.Sessions[_plan.Victim]);
            }
            else if (_plan.Stuck != StepPlan.None)
            {
                var session = _table.Sessions[_plan.Stuck];
                End(session, FinishReason.Error, $"the KV cache of {_cache.TotalBlocks} blocks cannot hold {session.TokenCount} tokens of one session");
            }
            else
            {
                return;
            }
        }
    }

    private void View()
    {
        for (var g = 0; g < _room.Length; g++)
        {
            _room[g] = new KvRoom(_cache.Available(g), _cache.PeakBlocks(g, int.MaxValue, KvGroup.BlockTokens));
        }

        if (_views.Length < _table.Sessions.Count)
        {
            Array.Resize(ref _views, Math.Max(_table.Sessions.Count, _views.Length * 2));
        }

        for (var i = 0; i < _table.Sessions.Count; i++)
        {
            var session = _table.Sessions[i];
            _views[i] = new SessionView
            {
                Phase = session.State switch
                {
                    SessionState.Opened => SessionPhase.Opened,
                    SessionState.Waiting => SessionPhase.Waiting,
                    SessionState.Prefilling => SessionPhase.Prefilling,
                    _ => SessionPhase.Decoding,
                },
                Client = session.Client.Slot,
                Applied = session.Sequence.Length,
                Remaining = session.Remaining,
                CoveredBlocks = session.Sequence.CoveredBlocks,
                Paused = session.IsPaused(_options.RunAhead),
                Bypassed = session.Bypassed,
                NextBlock = session.MayMatch ? PagedKvCache.NextBlockHash(session.Sequence) : null,
            };
        }
    }

    private void Preempt(EngineSession session)
    {
        _cache.Release(session.Sequence);
        session.MayMatch = true;
        if (session.IsRunning)
        {
            session.State = SessionState.Waiting;
            session.Preemptions++;
            Counters.AddPreemption();
        }
        else if (session.Preemptions == 0)
        {
            session.CachedTokens = 0;
        }
    }

    private void FillBatch()
    {
        _batch.Clear();
        _rows.Clear();
        foreach (var index in _plan.Admitted)
        {
            _table.Sessions[index].State = SessionState.Prefilling;
            _table.Sessions[index].Bypassed = 0;
        }

        if (_plan.AdmittedPast > 0)
        {
            _table.Sessions[_plan.Bypassed].Bypassed += _plan.AdmittedPast;
        }

        foreach (var (index, count) in _plan.Slices)
        {
            var session = _table.Sessions[index];
            var start = session.Sequence.Length;
            if (!_cache.TryReserve(session.Sequence, start + count))
            {
                throw new InvalidOperationException($"the plan gave session {session.Id} {count} positions at {start}, but their KV blocks cannot be had");
            }

            _batch.Add(session.TokenIds.Slice(start, count), start, session.Sequence.Tables, wantLastLogits: count == session.Remaining);
            _rows.Add((session, count));
        }
    }

    private void Compute()
    {
        var vocabulary = Info.VocabularySize;
        var size = checked(_batch.LogitRows.Count * vocabulary);
        if (_logits.Length < size)
        {
            _logits = new float[size];
        }

        try
        {
            _shard.Forward(_batch, [], _logits.AsSpan(0, size));
        }
        catch (Exception e)
        {
            FailStep(e);
            return;
        }

        _failures = 0;
        Fault = null;
        Counters.AddStep(_plan.PrefillRows, _plan.DecodeRows);
        var logitRow = 0;
        foreach (var (session, count) in CollectionsMarshal.AsSpan(_rows))
        {
            _table.Charge(session, count);
            if (count < session.Remaining)
            {
                _cache.Commit(session.Sequence, session.TokenIds, session.Sequence.Length + count);
            }
            else
            {
                TakeToken(session, count, _logits.AsSpan(logitRow++ * vocabulary, vocabulary));
            }
        }
    }

    private void TakeToken(EngineSession session, int count, Span<float> logits)
    {
        if (!LogitCheck.IsSound(logits))
        {
            // What it has computed may be as unsound: nobody else must find it in the prefix cache.
            End(session, FinishReason.Error, $"the logits of token {session.Generated} are not finite numbers", forget: true);
            return;
        }

        _cache.Commit(session.Sequence, session.TokenIds, session.Sequence.Length + count);
        TokenChoice choice;
        try
        {
            choice = session.Sampler.Sample(logits, session.Generated);
        }
        catch (Exception e)
        {
            End(session, FinishReason.Error, $"sampling token {session.Generated} failed: {e.GetType().Name}: {e.Message}");
            return;
        }

        if ((uint)choice.TokenId >= (uint)Info.VocabularySize)
        {
            End(session, FinishReason.Error, $"the sampler drew id {choice.TokenId} as token {session.Generated}, outside the vocabulary [0,{Info.VocabularySize})");
            return;
        }

        Adopt(session, choice);
    }

    private void Adopt(EngineSession session, in TokenChoice choice)
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
            return;
        }

        if (session.Request.Sampling.StopTokenIds.AsSpan().Contains(choice.TokenId))
        {
            End(session, FinishReason.Stop);
        }
        else if (session.Generated == session.Request.Sampling.MaxTokens)
        {
            End(session, FinishReason.Length);
        }
    }

    /// <summary>The step's sessions end; nothing that it may have half-written was committed.</summary>
    private void FailStep(Exception cause)
    {
        var error = $"the model failed in a step of {_batch.RowCount} rows: {cause.GetType().Name}: {cause.Message}";
        if (++_failures >= FailuresUntilUnhealthy)
        {
            Fault = $"{_failures} steps in a row failed; the last: {error}";
        }

        foreach (var (session, _) in CollectionsMarshal.AsSpan(_rows))
        {
            End(session, FinishReason.Error, error);
        }
    }
}
