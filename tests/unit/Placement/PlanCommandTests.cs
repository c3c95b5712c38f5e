using System.Text.Json;
using Parallax.Cli.Plan;
using Parallax.Contracts.Identifiers;
using Parallax.Hosting;
using Parallax.Placement;
using Parallax.Testing.Placement;

namespace Parallax.UnitTests.Placement;

public sealed class PlanCommandTests
{
    [Fact]
    public void Load_WholeDescription_IsTheCluster()
    {
        var file = Load(
            """
            { "nodes": [
                { "id": "a", "memory_gib": 2, "tflops": 3, "bandwidth_gbps": 4, "region": "r", "domain": "d", "draining": true, "weights_gib": 0.5 },
                { "id": "b", "memory_gib": 1, "tflops": 1, "bandwidth_gbps": 1 } ],
              "rtts": [ { "from": "a", "to": "b", "ms": 7 } ], "unreachable": [ ["b", "a"] ],
              "holds": [ { "node": "b", "layers": [1, 3] } ] }
            """);
        Assert.Equal(
            new PlacementNode("a", 2L << 30, 3, 4) { Region = "r", FailureDomain = "d", IsDraining = true, WeightBytesLimit = 1L << 29 },
            file.Snapshot.Nodes[0]);
        Assert.Equal(7, file.Snapshot.RoundTrips[("a", "b")]);
        Assert.Contains(("b", "a"), file.Snapshot.Unreachable);
        Assert.Equal([("b", new LayerRange(1, 3))], file.Holds);
    }

    [Theory]
    [InlineData("{", "cannot be read")]
    [InlineData("[]", "cannot be read")]
    [InlineData("{ \"nodes\": [ { \"memory\": 1 } ] }", "'memory'")]
    [InlineData("{}", "names no nodes")]
    [InlineData("{ \"nodes\": [ null ] }", "node 1: \"id\" is missing|\"memory_gib\"|\"tflops\"|\"bandwidth_gbps\"")]
    [InlineData("{ \"nodes\": [ { \"id\": \"a\", \"memory_gib\": 1, \"tflops\": -1, \"bandwidth_gbps\": 1 } ], \"holds\": [ { \"node\": \"z\", \"layers\": [3, 3] } ] }", "\"tflops\"|'z' is no node|end exclusive")]
    [InlineData("{ \"nodes\": [ { \"id\": \"a\", \"memory_gib\": 1, \"tflops\": 1, \"bandwidth_gbps\": 1 } ], \"unreachable\": [ null, [\"a\"] ], \"rtts\": [ null ] }", "pairs of ids|needs \"ms\"")]
    public void Load_WrongDescription_NamesAllThatIsWrong(string text, string named)
    {
        var error = Assert.Throws<OptionsException>(() => Load(text));
        Assert.All(named.Split('|'), part => Assert.Contains(part, error.Message, StringComparison.Ordinal));
    }

    [Fact]
    public void Report_PlanWithMoves_IsATableAndTheSameInJson()
    {
        var next = Allocator.Replan(
            [TestClusters.Demand(10)], TestClusters.Nodes(5, 5, 5), [new Assignment("n0", "m", new LayerRange(0, 5))], new AllocationOptions());
        var report = new PlanReport(next.Plan, next.Moves);
        Assert.Contains("m      1         0-5     n0\n", report.ToText(), StringComparison.Ordinal);
        Assert.Contains("move: n1 nothing -> 5-10, loads 4.88 KiB\n", report.ToText(), StringComparison.Ordinal);
        using var json = JsonDocument.Parse(report.ToJson());
        Assert.Equal(2, json.RootElement.GetProperty("pipelines")[0].GetProperty("stages").GetArrayLength());
        Assert.Equal(next.Moves.Length, json.RootElement.GetProperty("moves").GetArrayLength());
    }

    private static ClusterFile Load(string text)
    {
        var path = Path.Combine(Path.GetTempPath(), $"{Guid.NewGuid():n}.json");
        try
        {
            File.WriteAllText(path, text);
            return ClusterFile.Load(path);
        }
        finally
        {
            File.Delete(path);
        }
    }
}
