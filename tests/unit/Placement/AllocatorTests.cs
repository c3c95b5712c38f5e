using System.Collections.Immutable;
using Parallax.Contracts.Identifiers;
using Parallax.Placement;
using static Parallax.Testing.Placement.TestClusters;

namespace Parallax.UnitTests.Placement;

public sealed class AllocatorTests
{
    private static readonly AllocationOptions Options = new();

    [Fact]
    public void Allocate_EverybodyHoldsAll_IsAPipelineEach() =>
        Assert.Equal(4, Allocator.Allocate([Demand(10)], Nodes(10, 11, 12, 10), Options).Pipelines.Length);

    [Fact]
    public void Allocate_UnequalSpeed_LayersGoByCompute()
    {
        var plan = Allocator.Allocate([Demand(12)], ClusterSnapshot.Of(Node("a", 11, 10), Node("b", 11, 30)), Options);
        var stages = Assert.Single(plan.Pipelines).Stages;
        Assert.Equal(3, stages.Single(static stage => stage.Node == "a").Range.Count);
        Assert.Equal(9, stages.Single(static stage => stage.Node == "b").Range.Count);
    }

    [Fact]
    public void Allocate_TwoRegions_PipelinesDoNotCross()
    {
        // Ids alternate between the regions.
        var nodes = Enumerable.Range(0, 12).Select(static i => Node($"n{i:00}", 6) with { Region = i % 2 == 0 ? "east" : "west" });
        var plan = Allocator.Allocate([Demand(10)], ClusterSnapshot.Of([.. nodes]), Options);
        Assert.Equal(6, plan.Pipelines.Length);
        Assert.All(plan.Pipelines, static pipeline => Assert.Single(pipeline.Stages.Select(static stage => int.Parse(stage.Node[1..], null) % 2).Distinct()));
    }

    [Fact]
    public void Allocate_RoundTripsKnown_NeighboursAreNear()
    {
        // Nodes stand on a line, 10 ms apart; three of them make a pipeline.
        var places = new Dictionary<string, int> { ["a"] = 0, ["b"] = 100, ["c"] = 10, ["d"] = 110, ["e"] = 20, ["f"] = 120 };
        var rtts = places.SelectMany(one => places.Select(other => (Key: (one.Key, other.Key), Ms: (double)Math.Abs(one.Value - other.Value))))
            .ToImmutableDictionary(static one => one.Key, static one => one.Ms);
        var cluster = ClusterSnapshot.Of([.. places.Keys.Select(static id => Node(id, 4))]) with { RoundTrips = rtts };
        var plan = Allocator.Allocate([Demand(12)], cluster, Options);
        Assert.Equal(["a c e", "b d f"], plan.Pipelines.Select(static pipeline => string.Join(' ', pipeline.Stages.Select(static stage => stage.Node).Order())).Order());
    }

    [Fact]
    public void Allocate_UnreachablePair_IsNeverNeighboursAndSaysWhenThatIsWhatIsMissing()
    {
        var cluster = Nodes(5, 5) with { Unreachable = [("n1", "n0")] };
        var shortage = Assert.Single(Allocator.Allocate([Demand(10)], cluster, Options).Shortages);
        Assert.Equal(("links", 1), (shortage.Resource, shortage.Missing));
        Assert.Single(Allocator.Allocate([Demand(10)], Nodes(5, 5, 5) with { Unreachable = [("n1", "n0")] }, Options).Pipelines);
    }

    [Fact]
    public void Allocate_ManyNodesSomeUnreachable_StillServesAlongThoseThatReachEachOther()
    {
        // Two halves of ten nodes that do not see each other; sizes that would fit across.
        var nodes = Enumerable.Range(0, 20).Select(static i => Node($"n{i:00}", 3 + (i % 3))).ToImmutableArray();
        var apart = Enumerable.Range(0, 20).SelectMany(static i => Enumerable.Range(0, i).Where(j => (i - j) % 2 == 1).Select(j => ($"n{i:00}", $"n{j:00}")));
        var cluster = ClusterSnapshot.Of(nodes) with { Unreachable = [.. apart] };
        var plan = Allocator.Allocate([Demand(12)], cluster, Options);
        Assert.InRange(plan.Pipelines.Length, 4, 6);
        Assert.Empty(PlanCheck.Violations([Demand(12)], cluster, plan));
    }

    [Fact]
    public void Allocate_TwoModels_ShareMemoryAndNeitherStarves()
    {
        ImmutableArray<ModelDemand> models = [Demand(10, name: "a"), Demand(4, name: "b")];
        var cluster = Nodes(8, 8);
        var plan = Allocator.Allocate(models, cluster, Options);
        Assert.Empty(PlanCheck.Violations(models, cluster, plan));
        Assert.Contains(plan.Pipelines, static pipeline => pipeline.Model == "a");
        Assert.Contains(plan.Pipelines, static pipeline => pipeline.Model == "b");
        Assert.Contains(plan.Assignments().GroupBy(static one => one.Node), static node => node.Count() == 2);
    }

    [Fact]
    public void Allocate_SecondModelDoesNotFit_SaysWhichAndHowMuch()
    {
        var plan = Allocator.Allocate([Demand(10, name: "a"), Demand(9, name: "b")], Nodes(6, 6), Options);
        Assert.Single(plan.Pipelines);
        var shortage = Assert.Single(plan.Shortages);
        Assert.Equal(("b", "memory"), (shortage.Model, shortage.Resource));
    }

    [Fact]
    public void Allocate_Pins_AreKeptAndCompleted()
    {
        var demand = Demand(10) with { Pins = [new Assignment("n2", "m", new LayerRange(4, 7))] };
        var plan = Allocator.Allocate([demand], Nodes(10, 5, 5, 5), Options);
        Assert.Contains(new Assignment("n2", "m", new LayerRange(4, 7)), plan.Pipelines.SelectMany(static pipeline => pipeline.Stages));
        Assert.Empty(PlanCheck.Violations([demand], Nodes(10, 5, 5, 5), plan));
    }

    [Fact]
    public void Allocate_PinThatCannotBe_IsLeftOutAndSaidSo()
    {
        var plan = Allocator.Allocate([Demand(4) with { Pins = [new Assignment("n9", "m", new LayerRange(0, 4)), new Assignment("n0", "m", new LayerRange(0, 9))] }], Nodes(4), Options);
        Assert.Single(plan.Pipelines);
        Assert.Equal(2, plan.Reasons.Count(static reason => reason.Contains("is not kept", StringComparison.Ordinal)));
    }

    [Fact]
    public void Allocate_LeftOverNode_HoldsACopyOnAnotherMachineWhereThereIsAChoice()
    {
        var cluster = ClusterSnapshot.Of(
            Node("a", 6) with { FailureDomain = "x" }, Node("b", 6) with { FailureDomain = "y" }, Node("c", 6) with { FailureDomain = "x" });
        var plan = Allocator.Allocate([Demand(12) with { MaxPipelines = 1 }], cluster, Options);
        var replica = Assert.Single(plan.Replicas);
        var holder = plan.Pipelines[0].Stages.Single(stage => stage.Range == replica.Range).Node;
        Assert.NotEqual(cluster.Nodes.Single(node => node.Id == replica.Node).FailureDomain, cluster.Nodes.Single(node => node.Id == holder).FailureDomain);
        Assert.Empty(Allocator.Allocate([Demand(12)], cluster, Options with { WithReplicas = false }).Replicas);
    }

    [Fact]
    public void Allocate_TwoSpareNodes_CopyDifferentRanges()
    {
        var plan = Allocator.Allocate([Demand(12) with { MaxPipelines = 1 }], Nodes(6, 6, 6, 6), Options);
        Assert.Equal(2, plan.Replicas.Select(static one => one.Range).Distinct().Count());
    }

    [Fact]
    public void Allocate_MaxPipelines_IsABound() =>
        Assert.Equal(2, Allocator.Allocate([Demand(4) with { MaxPipelines = 2 }], Nodes(4, 4, 4, 4), Options).Pipelines.Length);

    [Fact]
    public void PlanCheck_PlanThatBreaksRules_NamesEachOne()
    {
        var demand = Demand(4);
        var cluster = Nodes(2, 2);
        var wrong = new AllocationPlan(
            [new PlannedPipeline("m", [new Assignment("n0", "m", new LayerRange(0, 3)), new Assignment("n1", "m", new LayerRange(2, 4))], 1, 1)],
            [new Assignment("n7", "m", new LayerRange(0, 1)), new Assignment("n0", "x", new LayerRange(0, 1))], [], [], []);
        var problems = PlanCheck.Violations([demand], cluster, wrong);
        Assert.Contains(problems, static problem => problem.Contains("n0 is to hold 3000 bytes", StringComparison.Ordinal));
        Assert.Contains(problems, static problem => problem.Contains("does not go on at layer 3", StringComparison.Ordinal));
        Assert.Contains(problems, static problem => problem.Contains("n7 is no node", StringComparison.Ordinal));
        Assert.Contains(problems, static problem => problem.Contains("x, which is not to be served", StringComparison.Ordinal));
    }
}
