using System.Collections.Immutable;
using System.Diagnostics;
using Parallax.Placement.Incremental;
using Parallax.Placement.Planning;

namespace Parallax.Placement;

/// <summary>
/// Decides who holds what. Pure, total, independent of the order of nodes: whatever the figures, the answer is a plan, or
/// shortages that say what is missing.
/// </summary>
public static class Allocator
{
    /// <summary>
    /// The best placement of models on a cluster that holds nothing yet: the greatest Z = k^2 / s for k pipelines over s
    /// nodes, exactly so up to 9 nodes, and among equal ones the least latency.
    /// </summary>
    public static AllocationPlan Allocate(ImmutableArray<ModelDemand> models, ClusterSnapshot cluster, AllocationOptions options)
    {
        cluster = Sound(cluster);
        options ??= new AllocationOptions();
        var inputs = new Workspace(models, cluster, options);
        return Publish(Replanner.PlanAnew(inputs.Again), inputs, models, cluster);
    }

    /// <summary>
    /// The next placement where some is there: keeps every full pipeline, moves the fewest bytes, and nothing that need not
    /// move. Plans anew only where nothing else serves a model, or where the throughput grows by more than
    /// <see cref="AllocationOptions.RebalanceGain"/>.
    /// </summary>
    /// <param name="models">What shall be served.</param>
    /// <param name="cluster">The nodes that are there.</param>
    /// <param name="current">What nodes really hold; of nodes that are not in the cluster it is ignored.</param>
    /// <param name="options">How to plan.</param>
    public static Replanning Replan(
        ImmutableArray<ModelDemand> models, ClusterSnapshot cluster, ImmutableArray<Assignment> current, AllocationOptions options)
    {
        cluster = Sound(cluster);
        options ??= new AllocationOptions();
        var inputs = new Workspace(models, cluster, options);
        var plan = Publish(Replanner.Plan(inputs.Again, current), inputs, models, cluster);
        return new Replanning(plan, Moves.Between(inputs.Again(), current, plan));
    }

    private static AllocationPlan Publish(Draft draft, Workspace inputs, ImmutableArray<ModelDemand> models, ClusterSnapshot cluster)
    {
        var linked = cluster with { Unreachable = ImmutableHashSet<(string, string)>.Empty };
        var shortages = Enumerable.Range(0, draft.Pipelines.Length)
            .Where(at => draft.Pipelines[at].Count == 0)
            .Select(at => ShortageReport.Of(inputs.Again, () => new Workspace(models, linked, inputs.Options), draft, at));
        var plan = PlanPublisher.Publish(draft, shortages);
        Debug.Assert(PlanCheck.Violations(models, cluster, plan).IsEmpty, "a plan breaks a rule of its own");
        return plan;
    }

    /// <summary>A snapshot whose parts are all there.</summary>
    private static ClusterSnapshot Sound(ClusterSnapshot? cluster) => new(
        cluster is null || cluster.Nodes.IsDefault ? [] : cluster.Nodes,
        cluster?.RoundTrips ?? ImmutableDictionary<(string, string), double>.Empty,
        cluster?.Unreachable ?? ImmutableHashSet<(string, string)>.Empty);
}
