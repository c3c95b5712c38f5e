using System.Collections.Immutable;
using Parallax.Contracts.Identifiers;
using Parallax.Placement;
using Parallax.Testing.Placement;
using static Parallax.Testing.Placement.TestClusters;

namespace Parallax.UnitTests.Placement;

/// <summary>What another implementation of placement gets wrong, one test for each; numbers as in the list of its defects.</summary>
public sealed class ListedDefectTests
{
    private static readonly AllocationOptions Options = new();

    [Fact]
    public void TheMachines_HaveTheListedCapacities()
    {
        var model = DefectModel(36);
        Assert.Equal(new LayerCapacity(13, 13, 13, 12), LayerCapacity.Of(model, A80("a")));
        Assert.Equal(new LayerCapacity(6, 6, 6, 5), LayerCapacity.Of(model, A40("a")));
        Assert.Equal(new LayerCapacity(5, 4, 4, 4), LayerCapacity.Of(model, Rtx5090("a")));
        Assert.Equal(new LayerCapacity(4, 3, 3, 3), LayerCapacity.Of(model, Rtx4090("a")));
        Assert.Equal(new LayerCapacity(23, 22, 22, 22), LayerCapacity.Of(model, X138("a")));
        Assert.Equal(new LayerCapacity(0, 0, 0, 0), LayerCapacity.Of(model, T2("a")));
    }

    [Fact]
    public void Defect1_TwoLargeAndOneSmall_SmallOneStandsInTheMiddle()
    {
        foreach (var nodes in Orders(A80("a"), Rtx5090("b"), A80("c")))
        {
            var pipeline = Assert.Single(Plan(31, nodes).Pipelines);
            Assert.Equal(new Assignment("b", "oss-test", new LayerRange(13, 18)), pipeline.Stages[1]);
        }
    }

    [Fact]
    public void Defect2_OneLargeAndTwoSmall_PlannedInEveryOrder()
    {
        var plans = Orders(A80("a"), Rtx5090("b"), Rtx5090("c")).Select(static nodes => Describe(Plan(22, nodes))).Distinct().ToList();
        Assert.Single(plans);
        Assert.Single(Plan(22, [A80("a"), Rtx5090("b"), Rtx5090("c")]).Pipelines);
    }

    [Fact]
    public void Defect3_TwoOfEachSize_TwoPipelinesInEveryOrder()
    {
        foreach (var nodes in Orders(A80("a"), A80("b"), A40("c"), A40("d"), Rtx4090("e"), Rtx4090("f")))
        {
            Assert.Equal(2, Plan(22, nodes).Pipelines.Length);
        }
    }

    [Fact]
    public void Defect4_NodeWithoutRoomFirst_DoesNoHarm()
    {
        var plan = Plan(12, [T2("a"), A80("b")]);
        Assert.Equal(new Assignment("b", "oss-test", new LayerRange(0, 12)), Assert.Single(Assert.Single(plan.Pipelines).Stages));
        Assert.Equal(["a"], plan.Standby);
    }

    [Fact]
    public void Defect5_OneLayerTooMany_IsAShortageNotAnOvercommit()
    {
        var plan = Plan(13, [A80("a")]);
        Assert.Empty(plan.Pipelines);
        var shortage = Assert.Single(plan.Shortages);
        Assert.Equal("memory", shortage.Resource);
        Assert.InRange(shortage.Missing, 1, long.MaxValue);
    }

    [Fact]
    public void Defect5_SlowSmallTail_EverybodyHasLayersAndNobodyTooMany()
    {
        ImmutableArray<PlacementNode> nodes = [Machine("a", 24, 10, 500), Machine("b", 24, 10, 500), Machine("c", 12, 1, 100)];
        var plan = Plan(7, nodes);
        var pipeline = Assert.Single(plan.Pipelines);
        Assert.All(pipeline.Stages, static stage => Assert.InRange(stage.Range.Count, 1, 4));
        Assert.Equal(7, pipeline.Stages.Sum(static stage => stage.Range.Count));
        Assert.Empty(PlanCheck.Violations([DefectModel(7)], ClusterSnapshot.Of(nodes), plan));
    }

    [Fact]
    public void Defect6_LargeNodeHoldsAll_SmallOneIsNotGivenZeroLayers()
    {
        var plan = Plan(5, [Machine("a", 24, 10, 500), Machine("b", 80, 312, 2039)]);
        Assert.Equal("b", Assert.Single(Assert.Single(plan.Pipelines).Stages).Node);
        Assert.DoesNotContain(plan.Assignments(), static one => one.Range.Count == 0);
    }

    [Fact]
    public void Defect7_FiveHundredAndTwelveMixedNodes_ArePlanned()
    {
        ImmutableArray<PlacementNode> nodes = [.. Enumerable.Range(0, 512).Select(static i => (i % 5) switch
        {
            0 => A80($"n{i:000}"),
            1 => A40($"n{i:000}"),
            2 => Rtx5090($"n{i:000}"),
            3 => Rtx4090($"n{i:000}"),
            _ => T2($"n{i:000}"),
        })];
        var plan = Plan(36, nodes);
        Assert.InRange(plan.Pipelines.Length, 70, 79); // 2,871 layers of room at most
        Assert.Empty(PlanCheck.Violations([DefectModel(36)], ClusterSnapshot.Of(nodes), plan));
    }

    [Fact]
    public void Defect8_BadJoin_IsRefusedAndTheNextEventCounts()
    {
        var fold = new MembershipFold(DefectModel(12));
        var refused = fold.Join(A80("a") with { Id = "" });
        Assert.NotNull(refused);
        Assert.NotNull(fold.Join(A80("b") with { Tflops = double.NaN }));
        Assert.NotNull(fold.Join(A80("c") with { MemoryBytes = -1 }));
        Assert.Null(fold.Join(A80("d")));
        Assert.Equal("d", Assert.Single(Assert.Single(fold.Plan.Pipelines).Stages).Node);
    }

    [Fact]
    public void Defect9_NodeWithoutRoomJoins_OthersStartAllTheSame()
    {
        var fold = new MembershipFold(DefectModel(25));
        fold.Join(T2("a"));
        fold.Join(A80("b"));
        fold.Join(A80("c"));
        Assert.Equal(["b", "c"], Assert.Single(fold.Plan.Pipelines).Stages.Select(static stage => stage.Node));
    }

    [Fact]
    public void Defect10_SameIdJoinsAgain_IsPlannedAnewAndLeavesNoGhost()
    {
        var fold = new MembershipFold(DefectModel(12));
        fold.Join(A80("a"), incarnation: 1);
        fold.Join(A80("a"), incarnation: 2);
        Assert.Single(fold.Membership.Members);
        Assert.Equal(2, fold.Membership.Members["a"].Incarnation);
        Assert.Equal(new Assignment("a", "oss-test", new LayerRange(0, 12)), Assert.Single(Assert.Single(fold.Plan.Pipelines).Stages));
        // The new start holds nothing: its layers are loaded once more.
        Assert.Equal(new Assignment("a", "oss-test", new LayerRange(0, 12)), new Assignment(fold.Moves[0].Node, fold.Moves[0].Model, fold.Moves[0].To!.Value));
        Assert.Null(fold.Moves[0].From);
    }

    [Fact]
    public void Defect11_SilentNodes_AreGoneWhetherTheyServeOrStandBy()
    {
        var fold = new MembershipFold(DefectModel(12));
        fold.Join(A80("a"));
        fold.Join(Rtx4090("b")); // no use for it
        Assert.Contains("b", fold.Plan.Standby);
        fold.Pass(TimeSpan.FromSeconds(31));
        Assert.Empty(fold.Membership.Members);
        Assert.Empty(fold.Plan.Pipelines);
        fold.Join(A80("c"));
        Assert.Equal("c", Assert.Single(Assert.Single(fold.Plan.Pipelines).Stages).Node);
    }

    [Fact]
    public void Defect12_LeavesAndAJoin_PipelinesDoNotOverlap()
    {
        var fold = new MembershipFold(DefectModel(44));
        for (var i = 0; i < 9; i++)
        {
            fold.Join(X138($"n{i}"));
        }

        Assert.Equal(4, fold.Plan.Pipelines.Length);
        fold.Leave("n0");
        fold.Leave("n3");
        fold.Leave("n5");
        Assert.Equal(3, fold.Plan.Pipelines.Length);
        fold.Join(X138("n9"));
        var served = fold.Plan.Pipelines.SelectMany(static pipeline => pipeline.Stages).Select(static stage => stage.Node).ToList();
        Assert.Equal(served.Count, served.Distinct().Count());
        Assert.Empty(PlanCheck.Violations([DefectModel(44)], ClusterSnapshot.Of(fold.Membership.Nodes), fold.Plan));
    }

    [Fact]
    public void Defect13_SurvivorsOfTwoPipelines_FormOneTogether()
    {
        var fold = new MembershipFold(DefectModel(44));
        for (var i = 0; i < 6; i++)
        {
            fold.Join(X138($"n{i}"));
        }

        Assert.Equal(3, fold.Plan.Pipelines.Length);
        var pairs = fold.Plan.Pipelines.Select(static pipeline => pipeline.Stages[0].Node).Take(2).ToList();
        fold.Leave(pairs[0]);
        fold.Leave(pairs[1]);
        Assert.Equal(2, fold.Plan.Pipelines.Length);
        Assert.Empty(fold.Plan.Standby);
    }

    [Fact]
    public void Defect14_ANodeLeaves_NothingOfItIsLeftInThePlan()
    {
        var fold = new MembershipFold(DefectModel(44));
        foreach (var id in new[] { "a", "b", "c", "d" })
        {
            fold.Join(X138(id));
        }

        fold.Leave("b");
        Assert.DoesNotContain(fold.Plan.Assignments(), static one => one.Node == "b");
        Assert.DoesNotContain(fold.Moves, static move => move.Node == "b");
        Assert.DoesNotContain(fold.Membership.Holds, static one => one.Node == "b");
    }

    [Fact]
    public void Defect16_NoRoundTripIsKnown_IsPlannedAllTheSame()
    {
        var plan = Plan(25, [A80("a"), A80("b")]);
        var pipeline = Assert.Single(plan.Pipelines);
        Assert.True(double.IsFinite(pipeline.LatencyMs) && pipeline.LatencyMs > 20, "an unknown round trip is an estimate");
    }

    [Fact]
    public void Defect20_OneSessionOfAMixture_TouchesItsExpertsNotNone()
    {
        var shape = DefectModel(12).Shape;
        var plan = Plan(12, [A80("a")]);
        var layer = shape.Layers[0];
        // One token takes 4 of 128 experts: what is read is at least attention and these four.
        var read = 12 * (layer.WeightBytes - (124 * layer.Experts!.BytesEach));
        Assert.InRange(Assert.Single(plan.Pipelines).LatencyMs, read / (2039 * 1e6), 2 * read / (2039 * 1e6) + 1);
    }

    private static AllocationPlan Plan(int layers, ImmutableArray<PlacementNode> nodes) =>
        Allocator.Allocate([DefectModel(layers)], ClusterSnapshot.Of(nodes), Options);

    private static string Describe(AllocationPlan plan) => string.Join(' ', plan.Assignments());

    private static IEnumerable<ImmutableArray<PlacementNode>> Orders(params ImmutableArray<PlacementNode> nodes)
    {
        if (nodes.Length < 2)
        {
            yield return nodes;
            yield break;
        }

        for (var i = 0; i < nodes.Length; i++)
        {
            foreach (var rest in Orders(nodes.RemoveAt(i)))
            {
                yield return rest.Insert(0, nodes[i]);
            }
        }
    }
}
