using System.Collections.Immutable;

namespace Parallax.Placement;

/// <summary>The shape of <see cref="Allocator.Replan"/>, for code that is tested with other planners.</summary>
public delegate Replanning Replan(
    ImmutableArray<ModelDemand> models, ClusterSnapshot cluster, ImmutableArray<Assignment> current, AllocationOptions options);
