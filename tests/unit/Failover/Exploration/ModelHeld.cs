using System.Collections.Immutable;
using Parallax.Contracts.Identifiers;
using Parallax.Transport.Flow;

namespace Parallax.UnitTests.Failover.Exploration;

/// <summary>A row that waits to be computed.</summary>
internal readonly record struct ModelRow(int Position, int Value);

/// <summary>An output in the journal.</summary>
internal readonly record struct ModelOutput(int Id, int Value);

/// <summary>
/// One session at one worker: as its engine holds it (StageSession and StageLoop, around the real <see cref="StageFlow"/>),
/// and as its control service does (WorkerSession).
/// </summary>
internal sealed class ModelHeld : Part
{
    // The engine's.

    /// <summary>Null when the engine does not hold the session.</summary>
    public StageFlow? Flow { get; set; }

    public Epoch Epoch { get; set; }

    public ImmutableArray<Offer> Path { get; set; } = [];

    public int Place { get; set; }

    public bool IsStarted { get; set; }

    public bool IsFenced { get; set; }

    public bool IsRunning { get; set; }

    public bool IsUnsettled { get; set; }

    /// <summary>By layer of the worker: what is kept of the positions below <see cref="Length"/>.</summary>
    public int[][] Kv { get; set; } = [];

    public int Length { get; set; }

    /// <summary>Lowest position that is still held, where layers have a window.</summary>
    public int LowestHeld { get; set; }

    public int CachedPrefix { get; set; }

    public int[] Ids { get; set; } = [];

    public int KnownIds { get; set; }

    public int TokenCount { get; set; }

    /// <summary>Ids of the answer that the Open named.</summary>
    public ImmutableArray<int> RequestIds { get; set; } = [];

    public int Acknowledged { get; set; }

    public int Sampler { get; set; }

    public int UnacknowledgedRows { get; set; }

    public ImmutableQueue<ModelRow> Inbox { get; set; } = [];

    public ImmutableQueue<ModelRow> Rebuilds { get; set; } = [];

    public ImmutableSortedDictionary<int, ModelOutput> Journal { get; set; } = ImmutableSortedDictionary<int, ModelOutput>.Empty;

    // The control service's.

    /// <summary>Whether the control service knows the session; it does for a while after it has ended.</summary>
    public bool IsKnown { get; set; }

    public Epoch ControlEpoch { get; set; }

    public ImmutableArray<int> AnswerIds { get; set; } = [];

    public int AnswerKnown { get; set; }

    public int Cursor { get; set; }

    /// <summary>The answer to Open; its stream is that of the owner.</summary>
    public ControlMessage? Answer { get; set; }

    public bool IsAnswerSent { get; set; }

    public ModelEnd End { get; set; }

    public bool IsEndSent { get; set; }

    public bool IsControlStarted { get; set; }

    public bool IsControlFenced { get; set; }

    /// <summary>The worker that is to be reported; -1 for none.</summary>
    public int Loss { get; set; } = -1;

    /// <summary>The one that was reported in this epoch; said again after a reconnect.</summary>
    public int ToldLoss { get; set; } = -1;

    public bool IsLossUnknown { get; set; }

    /// <summary>The router whose connection <see cref="OwnerStream"/> is told what comes; -1 for none.</summary>
    public int Owner { get; set; } = -1;

    public int OwnerStream { get; set; }

    public LayerRange Range => Path[Place].Layers;

    public bool IsHead => Place == 0;

    public bool IsTail => Place == Path.Length - 1;

    public int Previous => Path[(Place + Path.Length - 1) % Path.Length].Worker;

    public int Next => Path[(Place + 1) % Path.Length].Worker;

    public bool IsComplete => End == ModelEnd.Length && IsHead;

    public int Remaining => TokenCount - Length;

    public bool IsWaiting => IsStarted && !IsRunning;

    /// <summary>The engine's part ends.</summary>
    public void DropEngine()
    {
        Flow = null;
        IsStarted = IsFenced = IsRunning = IsUnsettled = false;
        Kv = [];
        Ids = [];
        Length = LowestHeld = CachedPrefix = KnownIds = TokenCount = Acknowledged = Sampler = UnacknowledgedRows = 0;
        RequestIds = [];
        Inbox = [];
        Rebuilds = [];
        Journal = Journal.Clear();
        Epoch = default;
    }

    protected override Part Copy()
    {
        var copy = (ModelHeld)base.Copy();
        copy.Flow = Flow?.Clone();
        copy.Kv = [.. Kv.Select(static layer => (int[])layer.Clone())];
        copy.Ids = (int[])Ids.Clone();
        return copy;
    }

    protected override void WriteTo(List<long> state)
    {
        ReadOnlySpan<bool> flags =
        [
            Flow is not null, IsStarted, IsFenced, IsRunning, IsUnsettled, IsKnown, IsAnswerSent, IsEndSent, IsControlStarted,
            IsControlFenced, IsLossUnknown, Answer is not null,
        ];
        var bits = 0L;
        foreach (var flag in flags)
        {
            bits = (bits << 1) + (flag ? 1 : 0);
        }

        state.Add(bits);
        if (!IsKnown && Flow is null)
        {
            return;
        }

        state.Add(Place);
        foreach (var offer in Path)
        {
            state.Add(((long)offer.Worker << 40) + (offer.Layers.Start << 20) + offer.Layers.End);
        }

        if (Flow is not null)
        {
            Write(state, Epoch);
            Flow.WriteTo(state);
            foreach (var layer in Kv)
            {
                Write(state, layer.AsSpan(0, Length));
            }

            state.Add(LowestHeld);
            state.Add(CachedPrefix);
            Write(state, Ids.AsSpan(0, KnownIds));
            state.Add(TokenCount);
            Write(state, RequestIds.AsSpan());
            state.Add(Acknowledged);
            state.Add(Sampler);
            state.Add(UnacknowledgedRows);
            Write(state, Inbox);
            Write(state, Rebuilds);
            state.Add(Journal.Count);
            foreach (var (position, output) in Journal)
            {
                state.Add(position);
                state.Add(((long)output.Id << 32) + output.Value);
            }
        }

        Write(state, ControlEpoch);
        Write(state, AnswerIds.AsSpan());
        state.Add(AnswerKnown);
        state.Add(Cursor);
        if (Answer is not null && !IsAnswerSent)
        {
            Answer.WriteTo(state);
        }

        state.Add((long)End);
        state.Add((Loss << 8) + ToldLoss);
        state.Add(((long)Owner << 32) + OwnerStream);
    }

    private static void Write(List<long> state, ImmutableQueue<ModelRow> rows)
    {
        foreach (var (position, value) in rows)
        {
            state.Add(((long)position << 32) + value);
        }

        state.Add(-1);
    }
}
