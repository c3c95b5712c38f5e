using System.Text.Json;
using Parallax.Placement;
using Parallax.Testing;
using Parallax.Testing.Placement;

namespace Parallax.ReferenceTests.Placement;

/// <summary>300 clusters of another implementation, with an exhaustive search's best for the small ones.</summary>
public sealed class AllocationGoldenTests
{
    private static readonly string FilePath = TestData.PathOf("golden", "scheduler_allocation.json");

    [Fact]
    public void Capacities_EqualTheRecordedOnes()
    {
        var compared = 0;
        foreach (var (test, model, cluster) in Cases())
        {
            var demand = GoldenNodes.Demand(model);
            Assert.Equal(test.GetProperty("layer_bytes").GetInt64(), demand.Shape.Layers[0].WeightBytes);
            Assert.Equal(test.GetProperty("embedding_bytes").GetInt64(), demand.Shape.EmbeddingBytes);
            foreach (var (node, recorded) in cluster.Nodes.Zip(test.GetProperty("capacity").EnumerateArray()))
            {
                var expected = recorded.EnumerateArray().Select(static figure => Math.Max(0, figure.GetInt32())).ToArray();
                var (plain, embedding, head, both) = LayerCapacity.Of(demand, node);
                Assert.Equal(expected, new[] { plain, embedding, head, both });
                compared++;
            }
        }

        Assert.True(compared > 2000, $"only {compared} nodes were compared");
    }

    [Fact]
    public void Allocate_EveryCase_IsAtBestOrNoWorseThanTheReference()
    {
        var wrong = new List<string>();
        var (exact, compared) = (0, 0);
        foreach (var (test, model, cluster) in Cases())
        {
            var id = test.GetProperty("id").GetString();
            var demand = GoldenNodes.Demand(model);
            var plan = Allocator.Allocate([demand], cluster, new AllocationOptions());
            var z = TestClusters.Z(plan, model.Name);
            foreach (var problem in PlanCheck.Violations([demand], cluster, plan))
            {
                wrong.Add($"{id}: {problem}");
            }

            if (test.TryGetProperty("exact_min_stages_by_k", out var stages))
            {
                var best = stages.EnumerateObject().Select(static one => Square(one.Name) / one.Value.GetInt32()).DefaultIfEmpty(0).Max();
                exact++;
                if (Math.Abs(z - best) > 1e-9)
                {
                    wrong.Add($"{id}: Z {z}, exact {best}");
                }
            }
            else
            {
                foreach (var result in test.GetProperty("results").EnumerateArray())
                {
                    if (FeasibleZ(result) is { } reference)
                    {
                        compared++;
                        if (z < reference - 1e-9)
                        {
                            wrong.Add($"{id}: Z {z}, {result.GetProperty("algo").GetString()} {reference}");
                        }
                    }
                }
            }

            if (plan.Pipelines.IsEmpty != (plan.Shortages.Length == 1))
            {
                wrong.Add($"{id}: {plan.Pipelines.Length} pipelines and {plan.Shortages.Length} shortages");
            }
        }

        Assert.True(wrong.Count == 0, string.Join('\n', wrong));
        Assert.Equal((196, true), (exact, compared > 100));
    }

    [Fact]
    public void Allocate_EveryCaseInOtherOrders_GivesTheSamePlan()
    {
        var random = new Random(5);
        foreach (var (test, model, cluster) in Cases())
        {
            var demand = GoldenNodes.Demand(model);
            var plan = Describe(Allocator.Allocate([demand], cluster, new AllocationOptions()));
            for (var i = 0; i < 3; i++)
            {
                var shuffled = cluster.Nodes.ToArray();
                random.Shuffle(shuffled);
                Assert.Equal(plan, Describe(Allocator.Allocate([demand], cluster with { Nodes = [.. shuffled] }, new AllocationOptions())));
            }
        }
    }

    [Fact]
    public void Replan_EveryCasesOwnPlan_MovesNothing()
    {
        foreach (var (test, model, cluster) in Cases())
        {
            var demand = GoldenNodes.Demand(model);
            var plan = Allocator.Allocate([demand], cluster, new AllocationOptions());
            var next = Allocator.Replan([demand], cluster, [.. plan.Assignments()], new AllocationOptions());
            Assert.True(next.Moves.IsEmpty, $"{test.GetProperty("id").GetString()}: {string.Join(", ", next.Moves)}");
        }
    }

    private static IEnumerable<(JsonElement Case, ModelDescription Model, ClusterSnapshot Cluster)> Cases()
    {
        Assert.SkipWhen(TestData.MissingReason(FilePath) is not null, TestData.MissingReason(FilePath) ?? "");
        using var file = JsonDocument.Parse(File.ReadAllBytes(FilePath));
        foreach (var test in file.RootElement.GetProperty("cases").EnumerateArray())
        {
            var model = ModelDescription.Parse(test.GetProperty("model"));
            yield return (test, model, ClusterSnapshot.Of([.. test.GetProperty("nodes").EnumerateArray().Select(node => GoldenNodes.Parse(node, model))]));
        }
    }

    /// <summary>Z of what the reference did, if it did something that fits.</summary>
    private static double? FeasibleZ(JsonElement result)
    {
        if (result.TryGetProperty("status", out _) || !result.TryGetProperty("ok", out var ok) || !ok.GetBoolean() || result.TryGetProperty("exception", out _)
            || (result.TryGetProperty("flags", out var flags) && flags.EnumerateObject().Any()))
        {
            return null;
        }

        var pipelines = result.GetProperty("num_pipelines").GetInt32();
        return Square(pipelines) / result.GetProperty("stages").GetInt32();
    }

    private static double Square(string number) => Square(int.Parse(number, System.Globalization.CultureInfo.InvariantCulture));

    private static double Square(int number) => (double)number * number;

    private static string Describe(AllocationPlan plan) => string.Join('\n',
        plan.Pipelines.Select(static pipeline => $"{string.Join(' ', pipeline.Stages)} {pipeline.LatencyMs:r} {pipeline.TokensPerSecond:r}")
            .Concat(plan.Replicas.Select(static one => one.ToString()))
            .Concat(plan.Standby)
            .Concat(plan.Reasons));
}
