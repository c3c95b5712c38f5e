using System.Collections.Immutable;
using Parallax.Placement;
using Parallax.Placement.Members;

namespace Parallax.Testing.Placement;

/// <summary>Members come and go, and whatever each plan says is carried out at once: membership and re-planning without a wire.</summary>
public sealed class MembershipFold(ModelDemand demand, AllocationOptions? options = null)
{
    private readonly AllocationOptions _options = options ?? new AllocationOptions();
    private TimeSpan _now;

    /// <summary>Who is there.</summary>
    public Membership Membership { get; private set; } = new(TimeSpan.FromSeconds(30));

    /// <summary>What is served.</summary>
    public ModelDemand Demand { get; private set; } = demand;

    /// <summary>The newest plan.</summary>
    public AllocationPlan Plan { get; private set; } = Allocator.Allocate([demand], ClusterSnapshot.Of(), new AllocationOptions());

    /// <summary>What the newest plan changed.</summary>
    public ImmutableArray<Move> Moves { get; private set; } = [];

    /// <summary>Round trips, as far as known.</summary>
    public ImmutableDictionary<(string From, string To), double> RoundTrips { get; set; } = ImmutableDictionary<(string, string), double>.Empty;

    /// <summary>Somebody joins; why not, or null.</summary>
    public string? Join(PlacementNode node, long incarnation = 1, long sequence = 1) => Apply(new MemberJoined(node, incarnation, sequence));

    /// <summary>Somebody leaves; why not, or null.</summary>
    public string? Leave(string id, long incarnation = long.MaxValue) => Apply(new MemberLeft(id, incarnation));

    /// <summary>Somebody renews its lease; why not, or null.</summary>
    public string? Renew(string id)
    {
        var known = Membership.Members.GetValueOrDefault(id);
        return Apply(new MemberRenewed(id, known?.Incarnation ?? 0, (known?.Sequence ?? 0) + 1, null, default));
    }

    /// <summary>Time passes.</summary>
    public void Pass(TimeSpan time)
    {
        _now += time;
        Apply(new TimePassed());
    }

    /// <summary>Changes what is pinned.</summary>
    public void Pin(Func<ImmutableArray<Assignment>, ImmutableArray<Assignment>> change)
    {
        ArgumentNullException.ThrowIfNull(change);
        Demand = Demand with { Pins = change(Demand.Pins) };
        Replan();
    }

    private string? Apply(MemberEvent @event)
    {
        var change = Membership.Apply(@event, _now);
        Membership = change.Next;
        if (change.IsNews)
        {
            Replan();
        }

        return change.Refused;
    }

    private void Replan()
    {
        var cluster = new ClusterSnapshot(Membership.Nodes, RoundTrips, ImmutableHashSet<(string, string)>.Empty);
        var next = Allocator.Replan([Demand], cluster, Membership.Holds, _options);
        (Plan, Moves) = (next.Plan, next.Moves);
        foreach (var member in Membership.Members.Values)
        {
            ImmutableArray<Assignment> holds = [.. Plan.Assignments().Where(one => one.Node == member.Node.Id)];
            if (!holds.SequenceEqual(member.Holds))
            {
                Membership = Membership.Apply(new MemberRenewed(member.Node.Id, member.Incarnation, member.Sequence + 1, null, holds), _now).Next;
            }
        }
    }
}
