using System.Collections.Immutable;
using Parallax.Contracts.Identifiers;
using Parallax.Transport.Framing;

namespace Parallax.UnitTests.Failover.Exploration;

internal enum LinkMessageKind
{
    Rows,
    Flow,
    Up,
    Down,
}

/// <summary>What travels on a link, or is said of it: a frame of one run, a flow message, or that a connection is up or down.</summary>
internal sealed record LinkMessage(LinkMessageKind Kind, long Generation)
{
    public RowRun Run { get; init; }

    public ImmutableArray<int> Ids { get; init; } = [];

    public ImmutableArray<int> Values { get; init; } = [];

    public FlowMessage Flow { get; init; }

    public ImmutableArray<PositionRange> Want { get; init; } = [];

    /// <summary>Control and tokens (0) may overtake decode rows (1), and both the rows of prompts (2).</summary>
    public int Lane { get; init; }

    public int Session => (Kind == LinkMessageKind.Rows ? Run.Session : Flow.Session).IndexOf();

    public void WriteTo(List<long> state)
    {
        state.Add(((long)Kind << 8) + Lane);
        state.Add(Generation);
        switch (Kind)
        {
            case LinkMessageKind.Rows:
                state.Add(Run.Session.Value.GetHashCode());
                Write(state, Run.Epoch);
                state.Add(Run.Incarnation);
                state.Add(((long)Run.Kind << 32) + Run.First);
                state.Add(Run.Count);
                foreach (var id in Ids)
                {
                    state.Add(id);
                }

                foreach (var value in Values)
                {
                    state.Add(value);
                }

                break;
            case LinkMessageKind.Flow:
                state.Add(Flow.Session.Value.GetHashCode());
                Write(state, Flow.Epoch);
                state.Add(Flow.Incarnation);
                state.Add(((long)Flow.Kind << 40) + ((Flow.AddsOnly ? 1L : 0) << 32) + Flow.Applied);
                state.Add(Want.Length);
                foreach (var range in Want)
                {
                    state.Add(((long)range.Start << 32) + range.End);
                }

                break;
            default:
                break;
        }
    }

    public override string ToString() => Kind switch
    {
        LinkMessageKind.Rows => $"{Run.Kind} rows [{Run.First},{Run.End}) of session {Session} at {Run.Epoch.Short()}, connection {Generation}",
        LinkMessageKind.Flow => $"{Flow.Kind} {Flow.Applied}{(Flow.AddsOnly ? " (adds)" : "")}{(Want.IsEmpty ? "" : " want " + string.Join(' ', Want))} of session {Session} at {Flow.Epoch.Short()}, connection {Generation}",
        _ => $"link {Kind} ({Generation})",
    };

    private static void Write(List<long> state, Epoch epoch)
    {
        state.Add(epoch.Term);
        state.Add(epoch.RouterId.GetHashCode());
        state.Add(epoch.N);
    }
}

internal enum ControlKind
{
    Open,
    Start,
    Acknowledge,
    Rejoin,
    Cancel,

    Accepted,
    Tokens,
    Finished,
    Unknown,
    Stale,
    StageLost,
}

/// <summary>How a session ended at a worker.</summary>
internal enum ModelEnd
{
    None,
    Length,
    Cancelled,
    Error,
}

/// <summary>A message on a control stream, of either direction; the fields that its kind has are set.</summary>
internal sealed record ControlMessage(ControlKind Kind, int Session, Epoch Epoch)
{
    /// <summary>The connection that it was sent on.</summary>
    public int Stream { get; init; }

    public long Incarnation { get; init; }

    public ImmutableArray<Offer> Path { get; init; } = [];

    public int Place { get; init; }

    /// <summary>Ids of the answer: those known (Open), the more that are (Start), those that the router lacks (Accepted, Tokens).</summary>
    public ImmutableArray<int> Ids { get; init; } = [];

    public int First { get; init; }

    public int Keep { get; init; }

    public long NextIncarnation { get; init; }

    public int Known { get; init; }

    public int Applied { get; init; }

    public ModelEnd End { get; init; }

    public int Generated { get; init; }

    public int Lost { get; init; }

    public bool IsUnknownThere { get; init; }

    public void WriteTo(List<long> state)
    {
        state.Add(((long)Kind << 40) + ((long)Session << 32) + Stream);
        state.Add(Epoch.Term);
        state.Add(Epoch.RouterId.GetHashCode());
        state.Add(Epoch.N);
        state.Add(Incarnation);
        state.Add(Place);
        foreach (var offer in Path)
        {
            state.Add(((long)offer.Worker << 40) + (offer.Layers.Start << 20) + offer.Layers.End);
        }

        state.Add(Ids.Length);
        foreach (var id in Ids)
        {
            state.Add(id);
        }

        state.Add(((long)First << 32) + Keep);
        state.Add(NextIncarnation);
        state.Add(((long)Known << 32) + Applied);
        state.Add(((long)End << 40) + ((IsUnknownThere ? 1L : 0) << 36) + ((long)Lost << 32) + Generated);
    }

    public override string ToString() => Kind switch
    {
        ControlKind.Open => $"Open/Fence session {Session} at {Epoch.Short()}, stage {Place} of [{string.Join(' ', Path.Select(static o => $"w{o.Worker}:{o.Layers}"))}], {Ids.Length} ids",
        ControlKind.Start => $"Start/Resume session {Session} at {Epoch.Short()}, keep {Keep}, {Ids.Length} more ids, next incarnation {NextIncarnation}",
        ControlKind.Accepted => $"Accepted session {Session} at {Epoch.Short()}: applied {Applied}, ids {First}+{Ids.Length}{(End == ModelEnd.None ? "" : ", finished")}",
        ControlKind.Tokens => $"Tokens {First}+{Ids.Length} of session {Session} at {Epoch.Short()}",
        ControlKind.Finished => $"Finished({End}) session {Session} at {Epoch.Short()}",
        ControlKind.StageLost => $"StageLost session {Session} at {Epoch.Short()}: w{Lost}{(IsUnknownThere ? " does not know it" : " has no link")}",
        ControlKind.Rejoin => $"Rejoin session {Session} at {Epoch.Short()} from {Known}",
        _ => $"{Kind} session {Session} at {Epoch.Short()}",
    };
}

internal static class ModelNames
{
    /// <summary>Sessions are numbered by age.</summary>
    public static SessionId Session(int index) => new(new Guid(index + 1, 0, 0, [0, 0, 0, 0, 0, 0, 0, 0]));

    public static int IndexOf(this SessionId session) => BitConverter.ToInt32(session.Value.ToByteArray(), 0) - 1;

    /// <summary>Later routers have lower ids, so that an epoch of theirs is above only if its term is.</summary>
    public static Guid Router(int index) => new(100 - index, 0, 0, [0, 0, 0, 0, 0, 0, 0, 0]);

    public static string Short(this Epoch epoch) => $"({epoch.Term},{epoch.N})";
}
