namespace Parallax.Cli.Chaos.Faults;

/// <summary>Faults at random times, an endless sequence that is a function of its plan. Pure.</summary>
internal static class FaultSchedule
{
    /// <summary>In each slot a fault happens or not, so that faults also follow each other at once, as they do.</summary>
    private static readonly TimeSpan Slot = TimeSpan.FromMilliseconds(10);

    /// <summary>The faults in order of time.</summary>
    public static IEnumerable<Fault> Draw(FaultPlan plan)
    {
        var draws = new Draws(plan.Seed);
        var chance = plan.Rate * Slot.TotalSeconds;
        for (var at = Slot; ; at += Slot)
        {
            if (draws.Fraction() < chance)
            {
                yield return One(plan, at, draws);
            }
        }
    }

    private static Fault One(FaultPlan plan, TimeSpan at, Draws draws)
    {
        var kind = plan.Kinds[draws.Below(plan.Kinds.Length)];
        if (kind is FaultKind.Drop or FaultKind.Corrupt or FaultKind.Partition)
        {
            return Between(plan, at, kind, draws);
        }

        var fault = new Fault(at, kind, plan.Victims[draws.Below(plan.Victims.Length)]) { Draw = draws.Next() };
        return kind switch
        {
            FaultKind.Pause => fault with { Duration = draws.Between(TimeSpan.FromMilliseconds(200), TimeSpan.FromSeconds(4)) },
            FaultKind.Slow => fault with
            {
                Duration = draws.Between(TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(4)),
                StoppedShare = 0.3 + (0.6 * draws.Fraction()),
            },
            _ => fault,
        };
    }

    /// <summary>Between neighbours of the ring, and for a partition as often between the router and a stage.</summary>
    private static Fault Between(FaultPlan plan, TimeSpan at, FaultKind kind, Draws draws)
    {
        VictimRole[] roles = plan.Stages < 3 ? [VictimRole.Head, VictimRole.Tail] : [VictimRole.Head, VictimRole.Middle, VictimRole.Tail];
        var first = new Victim(roles[draws.Below(roles.Length)]);
        var fault = new Fault(at, kind, first) { Other = new Victim(VictimRole.Next), Draw = draws.Next() };
        if (kind == FaultKind.Corrupt)
        {
            return fault with { Chunks = 1 + draws.Below(8) };
        }

        if (kind == FaultKind.Drop)
        {
            return fault;
        }

        var withRouter = draws.Below(2) == 0;
        return fault with
        {
            Victim = withRouter ? new Victim(VictimRole.Router) : first,
            Other = withRouter ? first : new Victim(VictimRole.Next),
            Duration = draws.Between(TimeSpan.FromMilliseconds(200), TimeSpan.FromSeconds(3)),
            Way = (PartitionWay)draws.Below(3),
        };
    }
}
