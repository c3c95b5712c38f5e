using System.Runtime.InteropServices;
using Parallax.Contracts.Identifiers;
using Parallax.Runtime.Batching;
using Parallax.Runtime.KvCache;

namespace Parallax.Runtime.Execution;

/// <summary>The engine of a whole model: what it samples it feeds back to itself.</summary>
internal sealed class EngineLoop : SessionLoop<EngineSession>
{
    private readonly List<(EngineSession Session, int Count)> _rows = [];
    private float[] _logits = [];

    public EngineLoop(IModelShard shard, ExecutorOptions options, ITokenSamplerFactory samplers, BlockHasher? hasher = null)
        : base(shard, options, options?.Limits ?? default, samplers, hasher)
    {
        if (!shard.HasEmbedding || !shard.HasHead)
        {
            throw new ArgumentException(
                $"the shard of layers {shard.Range} lacks the embedding or the head: this engine runs whole models", nameof(shard));
        }
    }

    public override void Start(SessionId id, Epoch epoch, int keep, long nextIncarnation = 0)
    {
        if (Table.Find(id, epoch) is not { State: SessionState.Opened } session)
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
        session.CachedTokens = Cache.Truncate(session.Sequence, keep);
        Table.Start(session);
    }

    public override bool Step(TimeSpan now)
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

    protected override string? FindMisplaced(OpenRequest request) =>
        request.Path is null ? null : $"this engine holds all {Info.Range.Count} layers; the path has it compute {request.Path.Own.Range}";

    protected override EngineSession CreateSession(OpenRequest request, ISessionSink sink, ITokenSampler sampler, KvSequence sequence) =>
        new(request, sink, sampler, sequence);

    protected override SessionView ViewOf(EngineSession session) => new()
    {
        Phase = session.Phase,
        Client = session.Client.Slot,
        Applied = session.Sequence.Length,
        Remaining = session.Remaining,
        CoveredBlocks = session.Sequence.CoveredBlocks,
        Paused = session.IsPaused(Options.RunAhead),
        Bypassed = session.Bypassed,
        NextBlock = session.MayMatch ? PagedKvCache.NextBlockHash(session.Sequence) : null,
    };

    protected override void Preempt(EngineSession session)
    {
        Cache.Release(session.Sequence);
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
        Batch.Clear();
        _rows.Clear();
        AdmitPlanned();
        foreach (var (index, count) in Plan.Slices)
        {
            var session = Table.Sessions[index];
            var start = session.Sequence.Length;
            if (!Cache.TryReserve(session.Sequence, start + count))
            {
                throw new InvalidOperationException($"the plan gave session {session.Id} {count} positions at {start}, but their KV blocks cannot be had");
            }

            Batch.Add(session.TokenIds.Slice(start, count), start, session.Sequence.Tables, wantLastLogits: count == session.Remaining);
            _rows.Add((session, count));
        }
    }

    private void Compute()
    {
        var vocabulary = Info.VocabularySize;
        var size = checked(Batch.LogitRows.Count * vocabulary);
        if (_logits.Length < size)
        {
            _logits = new float[size];
        }

        try
        {
            Shard.Forward(Batch, [], _logits.AsSpan(0, size));
        }
        catch (Exception e)
        {
            FailStep(e, _rows.ConvertAll(static row => row.Session));
            return;
        }

        OnStepped();
        var logitRow = 0;
        foreach (var (session, count) in CollectionsMarshal.AsSpan(_rows))
        {
            Table.Charge(session, count);
            if (count < session.Remaining)
            {
                Cache.Commit(session.Sequence, session.TokenIds, session.Sequence.Length + count);
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

        Cache.Commit(session.Sequence, session.TokenIds, session.Sequence.Length + count);
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
}
