using System.Collections.Immutable;
using CsCheck;
using Parallax.Contracts.Identifiers;
using Parallax.Placement;
using Parallax.Testing.Placement;

namespace Parallax.UnitTests.Placement;

/// <summary>What holds for every cluster.</summary>
public sealed class AllocatorPropertyTests
{
    private static readonly AllocationOptions Options = new();

    private static readonly Gen<ClusterSnapshot> Clusters =
        from size in Gen.Int[0, 16]
        from rooms in Gen.Double[0, 15].Array[size]
        from speed in Gen.Int[1, 100].Array[size]
        from places in Gen.Int[0, 2].Array[size]
        from leaving in Gen.Int[0, 9].Array[size]
        from apart in Gen.Select(Gen.Int[0, 15], Gen.Int[0, 15]).Array[0, 4]
        from rtts in Gen.Select(Gen.Int[0, 15], Gen.Int[0, 15], Gen.Double[0, 100]).Array[0, 10]
        select new ClusterSnapshot(
            [.. rooms.Select((room, i) => TestClusters.Node($"n{i:00}", room, speed[i]) with
            {
                Region = places[i] == 0 ? "" : $"r{places[i]}",
                FailureDomain = $"m{i / 2}",
                IsDraining = leaving[i] == 0,
            })],
            rtts.DistinctBy(static rtt => (rtt.Item1, rtt.Item2)).ToImmutableDictionary(static rtt => ($"n{rtt.Item1:00}", $"n{rtt.Item2:00}"), static rtt => rtt.Item3),
            [.. apart.Select(static pair => ($"n{pair.Item1:00}", $"n{pair.Item2:00}"))]);

    private static readonly Gen<ImmutableArray<ModelDemand>> Models =
        from layers in Gen.Int[1, 14].Array[1, 2]
        from ends in Gen.Int[0, 2500]
        select layers.Select((count, i) => TestClusters.Demand(count, ends, $"m{i}")).ToImmutableArray();

    [Fact]
    public void Allocate_AnyCluster_CanBeCarriedOutAndPlacesOrExplains() =>
        Gen.Select(Models, Clusters).Sample(
            static (models, cluster) =>
            {
                var plan = Allocator.Allocate(models, cluster, Options);
                Assert.Empty(PlanCheck.Violations(models, cluster, plan));
                foreach (var demand in models)
                {
                    var placed = plan.Pipelines.Any(pipeline => pipeline.Model == demand.Shape.Name);
                    Assert.Equal(!placed, plan.Shortages.Any(shortage => shortage.Model == demand.Shape.Name && shortage.Text.Length > 0));
                }

                var named = plan.Assignments().Select(static one => one.Node).Concat(plan.Standby).ToHashSet();
                Assert.Equal(cluster.Nodes.Length, named.Count);
                Assert.DoesNotContain(plan.Assignments(), one => cluster.Nodes.Single(node => node.Id == one.Node).IsDraining);
            },
            iter: 500);

    [Fact]
    public void Allocate_NodesAndModelsInAnotherOrder_IsTheSamePlan() =>
        Gen.Select(Models, Clusters, Gen.Int[0, int.MaxValue]).Sample(
            static (models, cluster, seed) =>
            {
                var nodes = cluster.Nodes.ToArray();
                new Random(seed).Shuffle(nodes);
                var other = Allocator.Allocate([.. models.Reverse()], cluster with { Nodes = [.. nodes] }, Options);
                Assert.Equal(Describe(Allocator.Allocate(models, cluster, Options)), Describe(other));
            },
            iter: 300);

    [Fact]
    public void Allocate_AbsurdFigures_NeverFails()
    {
        var bytes = Gen.OneOf(Gen.Long, OneOf<long>(0, -1, long.MaxValue, long.MinValue), Gen.Long[0, 10_000]);
        var rates = Gen.OneOf(Gen.Double, OneOf<double>(0, -1, double.NaN, double.PositiveInfinity, double.MaxValue, double.Epsilon));
        var node = Gen.Select(OneOf("a", "b", "c", "d", ""), bytes, rates, rates, rates, bytes,
            static (id, memory, tflops, bandwidth, factor, weights) => new PlacementNode(id, memory, tflops, bandwidth)
            {
                LayerWeightFactor = factor,
                WeightBytesLimit = weights,
                Measured = [new MeasuredStep("m", new LayerRange(0, 2), 1, tflops)],
            });
        var layer = Gen.Select(bytes, bytes, rates, rates, Gen.Int, static (weights, kv, flops, more, window) =>
            new LayerShape(weights, kv, flops) { FlopsPerContextToken = more, Window = window, Experts = new ExpertShape(window, window, weights) });
        var shape = Gen.Select(layer.Array[0, 4], bytes, bytes, rates, Gen.Int, Gen.Int, static (layers, embedding, head, flops, tokens, count) =>
            new ModelDemand(new ModelShape("m", "", [.. layers], embedding, head, count % 2 == 0, flops, embedding))
            {
                KvTokens = tokens,
                Batch = count,
                Context = tokens,
                MaxPipelines = count % 3 == 0 ? count : null,
                Pins = [new Assignment("a", "m", new LayerRange(count, tokens))],
            });
        Gen.Select(shape, node.Array[0, 12], rates).Sample(
            static (demand, nodes, unknown) =>
            {
                var cluster = ClusterSnapshot.Of([.. nodes]);
                var options = new AllocationOptions { UnknownRoundTripMs = unknown, RebalanceGain = unknown };
                var plan = Allocator.Allocate([demand], cluster, options);
                Assert.Empty(PlanCheck.Violations([demand], cluster, plan));
                Assert.Equal(plan.Pipelines.IsEmpty, plan.Shortages.Length == 1);
                Allocator.Replan([demand, demand], cluster, [new Assignment("a", "m", new LayerRange(-5, 99)), new Assignment("zz", "m", default)], options);
            },
            iter: 500);
    }

    [Fact]
    public void Allocate_NothingAtAll_IsAnEmptyPlan()
    {
        var plan = Allocator.Allocate(default, new ClusterSnapshot(default, null!, null!), null!);
        Assert.Empty(plan.Pipelines);
        Assert.Empty(plan.Shortages);
        Assert.Equal("nodes", Assert.Single(Allocator.Allocate([TestClusters.Demand(4)], ClusterSnapshot.Of(), Options).Shortages).Resource);
    }

    [Fact]
    public void Replan_ItsOwnPlan_MovesNothing() =>
        Gen.Select(Models, Clusters).Sample(
            static (models, cluster) =>
            {
                var plan = Allocator.Allocate(models, cluster, Options);
                Assert.Empty(Allocator.Replan(models, cluster, [.. plan.Assignments()], Options).Moves);
            },
            iter: 400);

    [Fact]
    public void Replan_NodesComeAndGo_CanBeCarriedOutLosesNoPipelineAndSettles() =>
        Gen.Select(Models, Clusters, Clusters, Gen.Int[0, int.MaxValue]).Sample(
            static (models, before, after, seed) =>
            {
                // Some nodes go, some change, some come.
                var random = new Random(seed);
                var nodes = before.Nodes.Where(_ => random.Next(4) > 0)
                    .Concat(after.Nodes.Where(_ => random.Next(3) == 0))
                    .DistinctBy(static node => node.Id);
                var cluster = before with { Nodes = [.. nodes] };
                ImmutableArray<Assignment> held = [.. Allocator.Allocate(models, before, Options).Assignments()];
                var next = Allocator.Replan(models, cluster, held, Options);
                Assert.Empty(PlanCheck.Violations(models, cluster, next.Plan));
                foreach (var demand in models)
                {
                    var name = demand.Shape.Name;
                    var served = next.Plan.Pipelines.Any(pipeline => pipeline.Model == name);
                    Assert.True(served || !Allocator.Allocate([demand], cluster, Options).Pipelines.Any() || models.Length > 1, "a model that can be served is not");
                }

                var applied = Apply(held, next.Moves, cluster);
                Assert.Equal(next.Plan.Assignments().OrderBy(static one => one.ToString()), applied.OrderBy(static one => one.ToString()));

                // Planning on from there comes to rest: nearly always at once, sometimes after a further step that Z pays for.
                for (var round = 0; next.Moves.Length > 0; round++)
                {
                    Assert.True(round < 4, "planning on from its own plans goes on and on");
                    next = Allocator.Replan(models, cluster, applied, Options);
                    applied = Apply(applied, next.Moves, cluster);
                }
            },
            iter: 400);

    private static Gen<T> OneOf<T>(params T[] values) => Gen.Int[0, values.Length - 1].Select(i => values[i]);

    private static ImmutableArray<Assignment> Apply(ImmutableArray<Assignment> held, ImmutableArray<Move> moves, ClusterSnapshot cluster)
    {
        var now = held.Where(one => cluster.Nodes.Any(node => node.Id == one.Node)).ToHashSet();
        foreach (var move in moves)
        {
            Assert.True(move.From is null || now.Remove(new Assignment(move.Node, move.Model, move.From.Value)), $"{move} from what is not held");
            Assert.True(move.To is null || now.Add(new Assignment(move.Node, move.Model, move.To.Value)), $"{move} to what is held");
        }

        return [.. now];
    }

    private static string Describe(AllocationPlan plan) => string.Join('\n',
        plan.Pipelines.Select(static pipeline => $"{string.Join(' ', pipeline.Stages)} {pipeline.LatencyMs:r}")
            .Concat(plan.Replicas.Select(static one => one.ToString()))
            .Concat(plan.Standby)
            .Concat(plan.Reasons)
            .Concat(plan.Shortages.Select(static one => one.ToString())));
}
