using System.Collections.Immutable;
using Parallax.Placement;

namespace Parallax.Scheduler.Planning;

/// <summary>Asks placement for the next plan and says whether it is another.</summary>
internal static class Planner
{
    /// <summary>The next plan.</summary>
    /// <param name="request">What is asked.</param>
    /// <param name="context">How to plan.</param>
    /// <param name="isFree">Whether layers may move for any gain.</param>
    public static Replanning Plan(PlanRequest request, PlanningContext context, bool isFree)
    {
        if (request.Models.IsEmpty)
        {
            return new Replanning(
                new AllocationPlan([], [], [.. request.Cluster.Nodes.Select(static node => node.Id)], [], ["No model is deployed."]), []);
        }

        var options = isFree ? context.Settings.Allocation with { RebalanceGain = 1 }
            : context.MayRebalance ? context.Settings.Allocation
            : context.Settings.Allocation with { RebalanceGain = double.PositiveInfinity };
        return context.Replan(request.Models, request.Cluster, request.Current, options);
    }

    /// <summary>A change of plan, if it is one that anybody must know of.</summary>
    public static ImmutableArray<SchedulerEvent> Changes(
        SchedulerState state, SwarmView swarm, PlanningContext context, string cause, bool isFree = false)
    {
        var request = PlanRequest.Of(state, swarm, context.Stalls);
        var next = Plan(request, context, isFree);
        var incarnations = next.Plan.Assignments().Select(static assignment => assignment.Node).Distinct(StringComparer.Ordinal)
            .Where(request.Incarnations.ContainsKey)
            .ToImmutableSortedDictionary(static id => id, id => request.Incarnations[id], StringComparer.Ordinal);
        var isNothing = state.Placed is null && request.Models.IsEmpty;
        return isNothing || (state.Placed is { } placed && IsSame(placed.Plan, next.Plan) && placed.Incarnations.SequenceEqual(incarnations))
            ? []
            : [new PlanChanged(next.Plan, next.Moves, incarnations, context.Now, cause)];
    }

    /// <summary>Whether two plans put the same in the same places and lack the same; predictions and reasons may differ.</summary>
    public static bool IsSame(AllocationPlan one, AllocationPlan other) =>
        one.Pipelines.Length == other.Pipelines.Length
        && one.Pipelines.Zip(other.Pipelines).All(static pair => pair.First.Model == pair.Second.Model && pair.First.Stages.SequenceEqual(pair.Second.Stages))
        && one.Replicas.SequenceEqual(other.Replicas)
        && one.Shortages.Select(static shortage => (shortage.Model, shortage.Resource, shortage.Missing))
            .SequenceEqual(other.Shortages.Select(static shortage => (shortage.Model, shortage.Resource, shortage.Missing)));
}
