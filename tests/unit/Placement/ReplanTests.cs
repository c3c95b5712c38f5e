using System.Collections.Immutable;
using Parallax.Contracts.Identifiers;
using Parallax.Placement;
using static Parallax.Testing.Placement.TestClusters;

namespace Parallax.UnitTests.Placement;

public sealed class ReplanTests
{
    private static readonly AllocationOptions Options = new();

    [Fact]
    public void Replan_UnusualButFullPipeline_StaysAsItIs()
    {
        // Nobody would cut 9 and 1; it serves, and so it stays.
        ImmutableArray<Assignment> held = [Held("n0", 0, 9), Held("n1", 9, 10)];
        var next = Allocator.Replan([Demand(10)], Nodes(9, 9), held, Options with { RebalanceGain = 100 });
        Assert.Empty(next.Moves);
        Assert.Equal(held, Assert.Single(next.Plan.Pipelines).Stages);
    }

    [Fact]
    public void Replan_MiddleIsLost_OnlyTheNodeThatStoodByLoads()
    {
        ImmutableArray<Assignment> held = [Held("n0", 0, 4), Held("n1", 4, 8), Held("n2", 8, 12)];
        var cluster = Nodes(4, 4, 4, 4);
        var next = Allocator.Replan([Demand(12)], cluster with { Nodes = cluster.Nodes.RemoveAt(1) }, held, Options);
        Assert.Equal([new Move("n3", "m", null, new LayerRange(4, 8), 4000)], next.Moves);
    }

    [Fact]
    public void Replan_MiddleIsLostAndNeighboursHaveRoom_TheyGrow()
    {
        ImmutableArray<Assignment> held = [Held("n0", 0, 4), Held("n1", 4, 8), Held("n2", 8, 12)];
        var cluster = Nodes(6, 4, 6);
        var next = Allocator.Replan([Demand(12)], cluster with { Nodes = cluster.Nodes.RemoveAt(1) }, held, Options);
        Assert.Equal(
            [new Move("n0", "m", new LayerRange(0, 4), new LayerRange(0, 6), 2000), new Move("n2", "m", new LayerRange(8, 12), new LayerRange(6, 12), 2000)],
            next.Moves);
    }

    [Fact]
    public void Replan_OneOfTwoPipelinesIsBroken_TheOtherIsNotTouched()
    {
        ImmutableArray<Assignment> held = [Held("n0", 0, 5), Held("n1", 5, 10), Held("n2", 0, 6), Held("n3", 6, 10)];
        var cluster = Nodes(6, 6, 6, 6, 6);
        var next = Allocator.Replan([Demand(10)], cluster with { Nodes = cluster.Nodes.RemoveAt(3) }, held, Options);
        Assert.Equal(2, next.Plan.Pipelines.Length);
        Assert.Equal([new Move("n4", "m", null, new LayerRange(6, 10), 4000)], next.Moves);
    }

    [Fact]
    public void Replan_NodeJoins_IsAPipelineACopyOrStandsBy()
    {
        ImmutableArray<Assignment> held = [Held("n0", 0, 5), Held("n1", 5, 10)];
        var withLarge = Allocator.Replan([Demand(10)], Nodes(5, 5, 10), held, Options);
        Assert.Equal(2, withLarge.Plan.Pipelines.Length);
        Assert.All(withLarge.Moves, static move => Assert.Equal("n2", move.Node));
        Assert.Single(Allocator.Replan([Demand(10)], Nodes(5, 5, 5), held, Options).Plan.Replicas);
        var withSmall = Allocator.Replan([Demand(10)], Nodes(5, 5, 1), held, Options);
        Assert.Equal(["n2"], withSmall.Plan.Standby);
        Assert.Empty(withSmall.Moves);
    }

    [Fact]
    public void Replan_MuchMoreThroughputToBeHad_PlansAnewAndSaysWhy()
    {
        // One pipeline of two, where each could hold everything.
        ImmutableArray<Assignment> held = [Held("n0", 0, 9), Held("n1", 9, 10)];
        var next = Allocator.Replan([Demand(10)], Nodes(10, 10), held, Options);
        Assert.Equal(2, next.Plan.Pipelines.Length);
        Assert.Contains(next.Plan.Reasons, static reason => reason.Contains("planned anew", StringComparison.Ordinal));
        Assert.Empty(Allocator.Replan([Demand(10)], Nodes(10, 10), held, Options with { RebalanceGain = 1e9 }).Moves);
    }

    [Fact]
    public void Replan_DrainingNode_IsReplacedWhereItCanBe()
    {
        ImmutableArray<Assignment> held = [Held("n0", 0, 5), Held("n1", 5, 10)];
        var cluster = Nodes(5, 5, 5);
        cluster = cluster with { Nodes = cluster.Nodes.SetItem(1, cluster.Nodes[1] with { IsDraining = true }) };
        var next = Allocator.Replan([Demand(10)], cluster, held, Options);
        Assert.Equal([new Move("n1", "m", new LayerRange(5, 10), null, 0), new Move("n2", "m", null, new LayerRange(5, 10), 5000)], next.Moves);
    }

    [Fact]
    public void Replan_DrainingNodeThatNobodyReplaces_GoesOnServing()
    {
        ImmutableArray<Assignment> held = [Held("n0", 0, 5), Held("n1", 5, 10)];
        var cluster = Nodes(5, 5, 4);
        cluster = cluster with { Nodes = cluster.Nodes.SetItem(1, cluster.Nodes[1] with { IsDraining = true }) };
        var next = Allocator.Replan([Demand(10)], cluster, held, Options);
        Assert.Empty(next.Moves);
        Assert.Equal(held, Assert.Single(next.Plan.Pipelines).Stages);
    }

    [Fact]
    public void Replan_ModelIsRetired_ItsLayersAreGivenUp()
    {
        var next = Allocator.Replan([], Nodes(5), [Held("n0", 0, 5)], Options);
        Assert.Equal([new Move("n0", "m", new LayerRange(0, 5), null, 0)], next.Moves);
    }

    [Fact]
    public void Replan_MemoryHasShrunk_WhatNoLongerFitsIsNotKept()
    {
        var next = Allocator.Replan([Demand(10)], Nodes(4, 6), [Held("n0", 0, 5), Held("n1", 5, 10)], Options);
        Assert.Empty(PlanCheck.Violations([Demand(10)], Nodes(4, 6), next.Plan));
        Assert.Single(next.Plan.Pipelines);
    }

    [Fact]
    public void Replan_PipelinesThroughUnreachablePairs_ArePairedOtherwise()
    {
        ImmutableArray<Assignment> held = [Held("n0", 0, 5), Held("n1", 0, 5), Held("n2", 5, 10), Held("n3", 5, 10)];
        var next = Allocator.Replan([Demand(10)], Nodes(5, 5, 5, 5) with { Unreachable = [("n0", "n2"), ("n3", "n1")] }, held, Options);
        Assert.Empty(next.Moves);
        Assert.Equal(["n0 n3", "n1 n2"], next.Plan.Pipelines.Select(static pipeline => string.Join(' ', pipeline.Stages.Select(static stage => stage.Node))));
    }

    private static Assignment Held(string node, int start, int end) => new(node, "m", new LayerRange(start, end));
}
