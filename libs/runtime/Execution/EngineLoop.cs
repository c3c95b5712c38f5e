using System.Runtime.InteropServices;
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
        session.ComputedBefore = Math.Max(session.ComputedBefore, session.Sequence.Length);
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
            NoteComputed(session, session.Sequence.Length, count);
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
        if (CheckLogits(session, logits, session.Generated))
        {
            Cache.Commit(session.Sequence, session.TokenIds, session.Sequence.Length + count);
            if (TryDraw(session, logits, session.Generated, out var choice))
            {
                Adopt(session, choice);
            }
        }
    }
}
