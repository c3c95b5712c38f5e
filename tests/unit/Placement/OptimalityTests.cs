using Parallax.Placement;
using Parallax.Testing.Placement;

namespace Parallax.UnitTests.Placement;

/// <summary>Small clusters against a search that tries everything.</summary>
public sealed class OptimalityTests
{
    [Fact]
    public void Allocate_TenThousandClustersOfEqualLayers_HasTheBestZ()
    {
        var random = new Random(20261126);
        for (var i = 0; i < 10_000; i++)
        {
            var nodes = Enumerable.Range(0, random.Next(1, 7))
                .Select(n => TestClusters.Node($"n{n}", random.NextDouble() * random.Next(1, 14), random.Next(1, 100), random.Next(1, 100)))
                .ToArray();
            var demand = TestClusters.Demand(random.Next(1, 12), random.Next(0, 3) * random.Next(0, 2000));
            Compare(nodes, demand with { Shape = demand.Shape with { IsTied = random.Next(2) == 0 } }, [], i);
        }
    }

    [Fact]
    public void Allocate_LayersOfDifferentSizes_HasTheBestZ()
    {
        var random = new Random(7);
        for (var i = 0; i < 1500; i++)
        {
            var layers = Enumerable.Range(0, random.Next(1, 8))
                .Select(_ => new LayerShape(random.Next(100, 4000), random.Next(0, 3), random.Next(1, 1000) * 1e6) { Window = random.Next(3) == 0 ? 16 : null });
            var demand = TestClusters.Demand(1);
            demand = demand with
            {
                KvTokens = 256,
                Shape = demand.Shape with { Layers = [.. layers], EmbeddingBytes = random.Next(0, 3000), HeadBytes = random.Next(0, 3000), ScratchBytes = random.Next(0, 500) },
            };
            var nodes = Enumerable.Range(0, random.Next(1, 6))
                .Select(n => TestClusters.Node($"n{n}", random.NextDouble() * 14, random.Next(1, 100)) with { WeightBytesLimit = random.Next(2) == 0 ? random.Next(1, 12_000) : null })
                .ToArray();
            Compare(nodes, demand, [], i);
        }
    }

    [Fact]
    public void Allocate_PairsThatCannotReachEachOther_HasTheBestZ()
    {
        var random = new Random(11);
        for (var i = 0; i < 1500; i++)
        {
            var nodes = Enumerable.Range(0, random.Next(2, 7)).Select(n => TestClusters.Node($"n{n}", random.NextDouble() * 9)).ToArray();
            var apart = new List<(int, int)>();
            for (var a = 0; a < nodes.Length; a++)
            {
                for (var b = 0; b < a; b++)
                {
                    if (random.Next(3) == 0)
                    {
                        apart.Add(random.Next(2) == 0 ? (a, b) : (b, a));
                    }
                }
            }

            Compare(nodes, TestClusters.Demand(random.Next(1, 10), random.Next(0, 1500)), apart, i);
        }
    }

    private static void Compare(PlacementNode[] nodes, ModelDemand demand, List<(int, int)> apart, int run)
    {
        var best = ExhaustiveSearch.Best(nodes, demand, (a, b) => !apart.Contains((a, b)) && !apart.Contains((b, a)));
        var cluster = ClusterSnapshot.Of([.. nodes]) with { Unreachable = [.. apart.Select(static pair => ($"n{pair.Item1}", $"n{pair.Item2}"))] };
        var plan = Allocator.Allocate([demand], cluster, new AllocationOptions());
        var expected = best.Stages == 0 ? 0 : (double)best.Pipelines * best.Pipelines / best.Stages;
        Assert.True(Math.Abs(expected - TestClusters.Z(plan, "m")) < 1e-9, $"cluster {run}: best {best}, plan {string.Join(" | ", plan.Pipelines.Select(static one => string.Join(' ', one.Stages)))}");
        Assert.Empty(PlanCheck.Violations([demand], cluster, plan));
        Assert.Equal(best.Pipelines == 0, plan.Shortages.Length == 1);
    }
}
