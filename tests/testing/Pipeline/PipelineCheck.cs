using Parallax.Contracts.Identifiers;
using Parallax.Pipeline.Stages;
using Parallax.Runtime.Execution;
using Parallax.Runtime.Models;
using Parallax.Runtime.Sampling;

namespace Parallax.Testing.Pipeline;

/// <summary>
/// Runs sessions on the whole model and on rings of stages, and compares tokens, log-probabilities and, by hash, the
/// bits of all logits that a token was drawn from.
/// </summary>
internal sealed class PipelineCheck
{
    private static readonly Epoch First = new(1, Guid.Empty, 0);

    private readonly ModelSource _model;
    private readonly IComputeBackend _backend;
    private readonly ResidualPrecision _precision;
    private readonly (int[] Prompt, SamplingParameters Sampling)[] _sessions;
    private readonly (RecordingSink Sink, List<ulong> Logits)[] _expected;

    public PipelineCheck(
        ModelSource model, IComputeBackend backend, ResidualPrecision precision, (int[] Prompt, SamplingParameters Sampling)[] sessions)
    {
        (_model, _backend, _precision, _sessions) = (model, backend, precision, sessions);
        _expected = [.. sessions.Select(session => Whole(session.Prompt, session.Sampling))];
    }

    /// <summary>Limits of every stage.</summary>
    public StageEngineOptions Options { get; init; } = new();

    /// <summary>Positions of KV room of every stage.</summary>
    public int KvTokens { get; init; } = 4096;

    /// <summary>Precision on the ring's links.</summary>
    public LinkPrecision Links { get; init; }

    /// <summary>Wraps the backend of a stage of so many layers.</summary>
    public Func<IComputeBackend, int, IComputeBackend>? Decorate { get; init; }

    /// <summary>Blocks given back on the last ring.</summary>
    public int Preemptions { get; private set; }

    /// <summary>Bytes that the journals of the last ring have written to their files, and read back.</summary>
    public (long Written, long Read) Spilled { get; private set; }

    /// <summary>Links cut on the last ring.</summary>
    public int Cuts { get; private set; }

    /// <summary>Stages that are lost and replaced while the sessions run.</summary>
    public int Replacements { get; init; }

    /// <summary>See <see cref="MemoryRing.IsTimePassing"/>.</summary>
    public bool IsTimePassing { get; init; }

    /// <summary>What the stages of the last ring have counted.</summary>
    public IReadOnlyList<EngineStats> Stats { get; private set; } = [];

    /// <summary>Runs all sessions at once on a ring that is cut at these layers.</summary>
    /// <param name="cuts">Layers at which another stage begins.</param>
    /// <param name="seed">Of the order of events.</param>
    /// <param name="faults">Chance of a fault per event, in a thousand.</param>
    /// <returns>What differs from the whole model, or is left over; null when nothing is.</returns>
    public string? Difference(int[] cuts, int seed, int faults = 0)
    {
        int[] bounds = [0, .. cuts, _model.Spec.Layers.Length];
        var shards = Enumerable.Range(0, bounds.Length - 1).Select(LoadStage).ToArray();
        var samplers = new LogitBook();
        using var ring = new MemoryRing(shards, () => samplers, seed, Options)
        {
            FaultsPerThousand = faults,
            FullPerThousand = 100,
            Spare = LoadStage,
            Replacements = Replacements,
            IsTimePassing = IsTimePassing,
        };
        var sessions = _sessions.Select((session, i) => ring.Open(session.Prompt, session.Sampling, arrival: i + 1, client: $"c{i % 3}")).ToArray();
        var difference = ring.Run();
        (Preemptions, Cuts, Stats) = (ring.Preemptions, ring.Cuts, ring.Stats);
        Spilled = (ring.Loops.Sum(static loop => loop.Spill?.WrittenBytes ?? 0), ring.Loops.Sum(static loop => loop.Spill?.ReadBytes ?? 0));
        for (var i = 0; i < sessions.Length && difference is null; i++)
        {
            difference = Compare(i, sessions[i], samplers);
        }

        return difference ?? samplers.Conflict ?? FindLeft(ring);

        ModelShard LoadStage(int i) => Load(new LayerRange(bounds[i], bounds[i + 1]));
    }

    private string? Compare(int i, RingSession session, LogitBook logits)
    {
        var (sink, hashes) = _expected[i];
        if (session.OtherEnds.Count > 0)
        {
            return $"session {i} ended at stage {session.OtherEnds[0].Stage}: {session.OtherEnds[0].End.Error}";
        }

        if (session.Sink.Finished.Result is { Error: not "" } end)
        {
            return $"session {i} ended with: {end.Error}";
        }

        // A tail may have drawn a token more than the head has taken.
        var first = hashes.TakeWhile((hash, index) => logits.Find(_sessions[i].Prompt, _sessions[i].Sampling, index) == hash).Count();
        return first < hashes.Count ? $"session {i}: the logits of token {first} of {hashes.Count} differ"
            : !sink.Tokens.SequenceEqual(session.Sink.Tokens) ? $"session {i}: tokens differ"
            : !sink.LogProbs.SequenceEqual(session.Sink.LogProbs) ? $"session {i}: log-probabilities differ"
            : null;
    }

    private static string? FindLeft(MemoryRing ring)
    {
        ring.CancelAll();
        foreach (var loop in ring.Loops)
        {
            loop.Step(TimeSpan.MaxValue);
            if (loop.SessionCount + loop.Cache.UsedBlocks + loop.JournalBytes > 0)
            {
                return $"left over: {loop.SessionCount} sessions, {loop.Cache.UsedBlocks} blocks, {loop.JournalBytes} bytes of journals";
            }

            // A chunk that was being written when its session ended goes when the file's thread is done with it.
            if (loop.Spill is { } spill && !SpinWait.SpinUntil(() => spill.UsedBytes == 0, TimeSpan.FromSeconds(30)))
            {
                return $"left over: {spill.UsedBytes} bytes of a journal's file";
            }

            loop.Dispose();
        }

        ring.CancelAll();
        return ring.Pool.Outstanding > 0 ? "left over: " + string.Join(", ", ring.Pool.Leaks()) : null;
    }

    private ModelShard Load(LayerRange? range) => ModelShard.Load(
        _model.Spec,
        _model.Weights,
        range is { } part ? Decorate?.Invoke(_backend, part.Count) ?? _backend : _backend,
        new ModelShardOptions
        {
            Range = range,
            Residual = _precision,
            Links = Links,
            KvTokens = range is null ? _sessions.Max(static session => session.Prompt.Length + session.Sampling.MaxTokens) : KvTokens,
            WeightsHash = "test",
        });

    private (RecordingSink Sink, List<ulong> Logits) Whole(int[] prompt, SamplingParameters sampling)
    {
        using var shard = Load(null);
        var samplers = new WatchedSamplers();
        var loop = new EngineLoop(shard, new ExecutorOptions(), samplers);
        var id = SessionId.New();
        var sink = new RecordingSink { Token = token => loop.Acknowledge(id, First, prompt.Length + token.Index + 1) };
        var opened = loop.Open(
            new OpenRequest { Session = id, Epoch = First, PromptTokenIds = [.. prompt], Sampling = sampling }, sink, TimeSpan.Zero);
        if (opened.Refusal is not null)
        {
            throw new InvalidOperationException(opened.Message);
        }

        loop.Start(id, First, 0);
        while (loop.Step(TimeSpan.Zero))
        {
        }

        return (sink, samplers.Logits[0]);
    }
}
