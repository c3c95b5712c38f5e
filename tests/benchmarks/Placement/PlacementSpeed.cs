using System.Collections.Immutable;
using System.Diagnostics;
using System.Globalization;
using Parallax.Placement;
using Parallax.Testing.Placement;

namespace Parallax.Benchmarks.Placement;

/// <summary>Times of placement on clusters of many sizes, as a table: <c>Parallax.Benchmarks placement</c>.</summary>
internal static class PlacementSpeed
{
    private static readonly TimeSpan PerFigure = TimeSpan.FromSeconds(2);

    /// <summary>Measures and prints.</summary>
    public static void Run(TextWriter output)
    {
        output.WriteLine("| nodes | cluster | pipelines | nodes used | Allocate, ms | unchanged Replan, ms | Replan after a loss, ms |");
        output.WriteLine("|---|---|---|---|---|---|---|");
        foreach (var count in new[] { 8, 32, 64, 256, 512, 10_000 })
        {
            foreach (var (name, nodes, demand) in Clusters(count))
            {
                Measure(output, count, name, nodes, demand);
            }
        }
    }

    private static void Measure(TextWriter output, int count, string name, ClusterSnapshot cluster, ModelDemand demand)
    {
        var options = new AllocationOptions();
        var plan = Allocator.Allocate([demand], cluster, options);
        ImmutableArray<Assignment> held = [.. plan.Assignments()];
        var lost = cluster with { Nodes = cluster.Nodes.RemoveAll(node => node.Id == held[0].Node) };
        var allocate = Least(() => Allocator.Allocate([demand], cluster, options));
        var unchanged = Least(() => Allocator.Replan([demand], cluster, held, options));
        var loss = Least(() => Allocator.Replan([demand], lost, held, options));
        output.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"| {count} | {name} | {plan.Pipelines.Length} | {plan.Pipelines.Sum(static one => one.Stages.Length)} | {allocate:0.##} | {unchanged:0.##} | {loss:0.##} |"));
    }

    /// <summary>Equal nodes; five kinds of nodes; every node of a size of its own; and the latter in regions with machines of two nodes.</summary>
    internal static IEnumerable<(string, ClusterSnapshot, ModelDemand)> Clusters(int count)
    {
        var random = new Random(count);
        var demand = TestClusters.DefectModel(36);
        yield return ("uniform", Of(static i => TestClusters.A40(Id(i))), demand);
        yield return ("five kinds", Of(static i => (i % 5) switch
        {
            0 => TestClusters.A80(Id(i)),
            1 => TestClusters.A40(Id(i)),
            2 => TestClusters.Rtx5090(Id(i)),
            3 => TestClusters.Rtx4090(Id(i)),
            _ => TestClusters.T2(Id(i)),
        }), demand);
        var sizes = Enumerable.Range(0, count).Select(_ => 8 + (88 * random.NextDouble())).ToArray();
        yield return ("all different", Of(i => TestClusters.Machine(Id(i), sizes[i], 3 * sizes[i], 20 * sizes[i])), demand);
        yield return ("all different, 8 regions", Of(i => TestClusters.Machine(Id(i), sizes[i], 3 * sizes[i], 20 * sizes[i]) with
        {
            Region = $"r{i * 7 % 8}",
            FailureDomain = $"m{i / 2}",
        }), demand);

        ClusterSnapshot Of(Func<int, PlacementNode> node) => ClusterSnapshot.Of([.. Enumerable.Range(0, count).Select(node)]);
        static string Id(int i) => i.ToString("n00000", CultureInfo.InvariantCulture);
    }

    /// <summary>Milliseconds of the fastest of many runs, warmed up: what other programs on the machine take does not count.</summary>
    private static double Least(Action action)
    {
        var began = Stopwatch.GetTimestamp();
        for (var i = 0; i < 50 && Stopwatch.GetElapsedTime(began) < PerFigure; i++)
        {
            action();
        }

        var least = double.PositiveInfinity;
        began = Stopwatch.GetTimestamp();
        for (var i = 0; i < 2 || (i < 300 && Stopwatch.GetElapsedTime(began) < PerFigure); i++)
        {
            var start = Stopwatch.GetTimestamp();
            action();
            least = Math.Min(least, Stopwatch.GetElapsedTime(start).TotalMilliseconds);
        }

        return least;
    }
}
