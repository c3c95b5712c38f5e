using System.Text.Json;
using Parallax.Contracts.Identifiers;
using Parallax.Testing;

namespace Parallax.ReferenceTests.Routing;

/// <summary>The reference's 300 routing cases: never slower than what it finds, and no path only where there is none.</summary>
public class RoutingGoldenTests
{
    private const double Tolerance = 1e-6;

    [Fact]
    public void ShortestPath_IsNeverDearerThanTheBestThatIsKnown()
    {
        var faster = 0;
        var found = 0;
        foreach (var (c, _) in Cases("dp_router", 150))
        {
            var choice = c.Choose();

            Assert.True(choice is not null == c.HasChain(static node => node.IsUsable), $"{c.Id}: a path where there is none, or none where there is one");
            if (!c.Result.GetProperty("reachable").GetBoolean())
            {
                continue; // among these: paths whose round trips are unknown, which the reference takes for infinite
            }

            found++;
            var best = c.Result.GetProperty("best_possible_with_latency_times_layers_ms").GetDouble();
            Assert.InRange(choice!.Cost.TotalMs, 0, best + Tolerance);
            if (c.CostOf([.. choice.Shards.Select(static shard => shard.WorkerId)]) is { } cost)
            {
                Assert.Equal(best, cost, Tolerance);
                Assert.Equal(cost, choice.Cost.TotalMs, Tolerance);
            }

            faster += best < c.Result.GetProperty("cost_with_latency_times_layers_ms").GetDouble() - Tolerance ? 1 : 0;
        }

        Assert.Equal(111, found);
        Assert.True(faster >= 15, $"the reference was beaten in {faster} cases only: the data is not what it was");
    }

    [Fact]
    public void Dispatch_WhereTheReferenceFindsAPipeline_IsAsFast()
    {
        var dispatched = 0;
        var more = 0;
        foreach (var (c, _) in Cases("round_robin", 99))
        {
            foreach (var dispatch in c.Result.GetProperty("dispatch").EnumerateArray())
            {
                Apply(c, dispatch);
                var choice = c.Choose();

                Assert.True(choice is not null == c.HasChain(static node => node.IsUsable), $"{c.Id}: a path where there is none, or none where there is one");
                var path = dispatch.GetProperty("path").EnumerateArray().Select(static id => id.GetString()!).ToList();
                if (path.Count == 0)
                {
                    more += choice is null ? 0 : 1;
                    continue;
                }

                dispatched++;
                Assert.NotNull(choice);
                Assert.InRange(choice.Cost.TotalMs, 0, (c.CostOf(path) ?? double.PositiveInfinity) + Tolerance);
                foreach (var id in path)
                {
                    c.Nodes.Single(node => node.Id == id).Sessions++; // the reference's dispatch stands, so that the next is compared on the same map
                }
            }
        }

        Assert.True(dispatched > 200, $"only {dispatched} dispatches were compared");
        Assert.True(more > 0, "no dispatch was served that the reference left out");
    }

    /// <summary>Ranges that overlap make no chain as they stand, and do once placement has cut them.</summary>
    [Fact]
    public void Overlaps_AreAPathExactlyWhereRangesMeet()
    {
        var paths = 0;
        foreach (var (c, json) in Cases("turning_points", 51))
        {
            var applied = c.Result.GetProperty("applied");
            Assert.True(c.Choose() is not null == applied.GetProperty("full_paths_before").GetInt32() > 0, $"{c.Id} before");

            var ranges = applied.GetProperty("alloc").EnumerateArray().Select(static range => new LayerRange(range[0].GetInt32(), range[1].GetInt32())).ToArray();
            var cut = new RoutingCase(json, ranges);
            Assert.True(cut.Choose() is not null == applied.GetProperty("full_paths_after").GetInt32() > 0, $"{c.Id} after");
            paths += cut.Choose() is null ? 0 : 1;
        }

        Assert.True(paths > 10, $"only {paths} of the cases have a path");
    }

    private static void Apply(RoutingCase c, JsonElement dispatch)
    {
        if (dispatch.TryGetProperty("set_current_requests", out var requests))
        {
            c.Nodes.Single(node => node.Id == requests[0].GetString()).Sessions = requests[1].GetInt32();
        }

        if (dispatch.TryGetProperty("set_active", out var active))
        {
            c.Nodes.Single(node => node.Id == active[0].GetString()).IsActive = active[1].GetBoolean();
        }
    }

    private static List<(RoutingCase Case, JsonElement Json)> Cases(string kind, int count)
    {
        var path = TestData.PathOf("golden", "scheduler_routing.json");
        Assert.SkipWhen(TestData.MissingReason(path) is not null, TestData.MissingReason(path) ?? "");
        var document = JsonDocument.Parse(File.ReadAllBytes(path));
        var cases = document.RootElement.GetProperty("cases").EnumerateArray()
            .Where(json => json.GetProperty("kind").GetString() == kind)
            .Select(static json => (new RoutingCase(json), json))
            .ToList();
        Assert.Equal(count, cases.Count);
        return cases;
    }
}
