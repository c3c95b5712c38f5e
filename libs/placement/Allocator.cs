using System.Collections.Immutable;

namespace Parallax.Placement;

/// <summary>Decides who holds what. Pure, total, independent of the order of nodes.</summary>
public static class Allocator
{
    /// <summary>The best placement of models on a cluster that holds nothing yet.</summary>
    public static AllocationPlan Allocate(ImmutableArray<ModelDemand> models, ClusterSnapshot cluster, AllocationOptions options) =>
        throw new NotImplementedException();

    /// <summary>The next placement where some is there: moves the fewest bytes, and nothing that need not move.</summary>
    public static Replanning Replan(
        ImmutableArray<ModelDemand> models, ClusterSnapshot cluster, ImmutableArray<Assignment> current, AllocationOptions options) =>
        throw new NotImplementedException();
}
