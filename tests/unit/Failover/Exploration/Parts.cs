using System.Collections.Immutable;
using Parallax.Contracts.Identifiers;
using Parallax.Router.Sessions;
using Parallax.Transport.Flow;

namespace Parallax.UnitTests.Failover.Exploration;

/// <summary>A worker's process: its incarnation, and the connections to others as its loop knows them.</summary>
internal sealed class ModelWorker : Part
{
    public bool IsUp { get; set; } = true;

    public bool IsPaused { get; set; }

    public int Incarnation { get; set; } = 1;

    /// <summary>By neighbour: the connection that is up; 0 for none.</summary>
    public long[] Generations { get; private set; } = [];

    /// <summary>By neighbour: answers to rows of sessions that are not held.</summary>
    public UnknownSessions[] Unknown { get; private set; } = [];

    public void Reset(int workers, long incarnation)
    {
        Generations = new long[workers];
        Unknown = [.. Enumerable.Range(0, workers).Select(_ => new UnknownSessions(incarnation))];
    }

    protected override Part Copy()
    {
        var copy = (ModelWorker)base.Copy();
        copy.Generations = [.. Generations];
        copy.Unknown = [.. Unknown];
        return copy;
    }

    protected override void WriteTo(List<long> state)
    {
        state.Add((IsUp ? 1 : 0) + (IsPaused ? 2 : 0));
        state.Add(Incarnation);
        foreach (var generation in Generations)
        {
            state.Add(generation);
        }

        foreach (var unknown in Unknown)
        {
            unknown.WriteTo(state);
        }
    }
}

/// <summary>Two workers' link: what is under way in both directions on the present connection, and what may still come of earlier ones.</summary>
internal sealed class ModelLink : Part
{
    /// <summary>The connection that is up; 0 for none.</summary>
    public long Generation { get; set; } = 1;

    public long LastGeneration { get; set; } = 1;

    /// <summary>By direction: from the lower worker to the higher, and back.</summary>
    public ImmutableArray<LinkMessage>[] Queues { get; private set; } = [[], []];

    public ImmutableArray<LinkMessage>[] Late { get; private set; } = [[], []];

    protected override Part Copy()
    {
        var copy = (ModelLink)base.Copy();
        copy.Queues = [.. Queues];
        copy.Late = [.. Late];
        return copy;
    }

    protected override void WriteTo(List<long> state)
    {
        state.Add(Generation);
        state.Add(LastGeneration);
        foreach (var queue in Queues.Concat(Late))
        {
            state.Add(queue.Length);
            foreach (var message in queue)
            {
                message.WriteTo(state);
            }
        }
    }
}

/// <summary>A router's control stream to a worker.</summary>
internal sealed class ModelControl : Part
{
    public bool IsUp { get; set; }

    /// <summary>Number of the connection.</summary>
    public int Stream { get; set; }

    public ImmutableArray<ControlMessage> ToWorker { get; set; } = [];

    public ImmutableArray<ControlMessage> ToRouter { get; set; } = [];

    /// <summary>To the worker, of earlier connections: it may read them after the next one has come.</summary>
    public ImmutableArray<ControlMessage> Late { get; set; } = [];

    protected override void WriteTo(List<long> state)
    {
        state.Add((IsUp ? 1 : 0) + (Stream << 1));
        foreach (var queue in new[] { ToWorker, ToRouter, Late })
        {
            state.Add(queue.Length);
            foreach (var message in queue)
            {
                message.WriteTo(state);
            }
        }
    }
}

/// <summary>A router's part in one session: the core, and what its shell (RemoteSession) holds besides.</summary>
internal sealed class ModelRouter : Part
{
    public bool IsUp { get; set; }

    /// <summary>Null while this router has nothing to do with the session.</summary>
    public SessionCore? Core { get; set; }

    public ImmutableArray<int> SeatWorkers { get; set; } = [];

    /// <summary>By seat: its link no longer holds the session.</summary>
    public ImmutableArray<bool> Forgotten { get; set; } = [];

    public ImmutableArray<Offer> Path { get; set; } = [];

    public ImmutableArray<int> Ids { get; set; } = [];

    /// <summary>Tokens received when a link was reported down; -1: none is.</summary>
    public int SuspectedAt { get; set; } = -1;

    public int SuspectedWorker { get; set; }

    public int SuspectedN { get; set; }

    /// <summary>Whether the grace of that report runs.</summary>
    public bool IsGraceRunning { get; set; }

    /// <summary>Whether it runs a second time, since a token came in the first.</summary>
    public bool IsLastLook { get; set; }

    /// <summary>Whether the loop that looks for a path runs.</summary>
    public bool IsSeeking { get; set; }

    /// <summary>Bits of workers that are avoided.</summary>
    public int Avoided { get; set; }

    /// <summary>Why the session failed; null when it did not.</summary>
    public string? Failure { get; set; }

    protected override Part Copy()
    {
        var copy = (ModelRouter)base.Copy();
        copy.Core = Core?.Clone();
        return copy;
    }

    protected override void WriteTo(List<long> state)
    {
        state.Add((IsUp ? 1 : 0) + (Core is null ? 0 : 2) + (IsGraceRunning ? 4 : 0) + (IsSeeking ? 8 : 0) + (Failure is null ? 0 : 16) + (IsGraceRunning && IsLastLook ? 32 : 0));
        if (Core is null)
        {
            return;
        }

        Core.WriteTo(state);
        Write(state, SeatWorkers.AsSpan());
        foreach (var forgotten in Forgotten)
        {
            state.Add(forgotten ? 1 : 0);
        }

        foreach (var offer in Path)
        {
            state.Add(((long)offer.Worker << 40) + (offer.Layers.Start << 20) + offer.Layers.End);
        }

        Write(state, Ids.AsSpan());
        state.Add(SuspectedAt);
        if (SuspectedAt >= 0)
        {
            state.Add((SuspectedWorker << 8) + SuspectedN);
        }

        state.Add(Avoided);
    }
}

/// <summary>A session's client, the log of its tokens, and who computed what (a ghost: nothing depends on it).</summary>
internal sealed class ModelClient : Part
{
    /// <summary>The router that the client is connected to.</summary>
    public int Router { get; set; }

    public ImmutableArray<int> Received { get; set; } = [];

    public ImmutableArray<int> Log { get; set; } = [];

    /// <summary>By epoch and first layer: the worker and incarnation that computed, in the order of the keys.</summary>
    public ImmutableArray<(Epoch Epoch, int Layer, int Worker, int Incarnation)> Computed { get; set; } = [];

    protected override void WriteTo(List<long> state)
    {
        state.Add(Router);
        Write(state, Received.AsSpan());
        Write(state, Log.AsSpan());
        foreach (var (epoch, layer, worker, incarnation) in Computed)
        {
            Write(state, epoch);
            state.Add((layer << 16) + (worker << 8) + incarnation);
        }
    }
}

/// <summary>How much has gone wrong.</summary>
internal sealed class ModelNature : Part
{
    public int Faults { get; set; }

    public int Disorder { get; set; }

    protected override void WriteTo(List<long> state) => state.Add((Faults << 8) + Disorder);
}
