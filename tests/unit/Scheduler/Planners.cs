using System.Collections.Immutable;
using Parallax.Placement;

namespace Parallax.UnitTests.Scheduler;

/// <summary>The planners that tests run with, by name.</summary>
public static class Planners
{
    /// <summary>Their names, for theories.</summary>
    public static TheoryData<string> Names => ["chain", "allocator"];

    /// <summary>One of them.</summary>
    internal static Replan Get(string name) => name == "chain" ? ChainPlanner.Replan : Real;

    /// <summary>The real one. KV is left out, so that memory counts in layers as these tests tell it.</summary>
    private static Replanning Real(
        ImmutableArray<ModelDemand> models,
        ClusterSnapshot cluster,
        ImmutableArray<Assignment> current,
        AllocationOptions options)
    {
        models = [.. models.Select(static model => model with { KvTokens = 0 })];
        var next = Allocator.Replan(models, cluster, current, options);
        Assert.Empty(PlanCheck.Violations(models, cluster, next.Plan));
        return next;
    }
}
