using System.Collections.Immutable;

namespace Parallax.Router.Routing;

/// <summary>
/// Chooses the path of a request: workers whose layer ranges follow one another from the first layer to the last, all
/// of one numeric class, none of them twice. Pure and deterministic.
/// </summary>
/// <remarks>
/// Ranges only lead upwards, so the layers at which they meet are visited once, in order, each keeping the best way
/// that leads to it: the work grows with the number of shards, not of paths.
/// </remarks>
internal static class PathPolicy
{
    /// <summary>
    /// How often a way that leads over a worker twice is mended before it is given up. That takes a worker that serves
    /// several ranges of one model, and then a detour is next to always found at once.
    /// </summary>
    private const int MaxDetours = 256;

    /// <summary>
    /// The path with the fewest stages; of these the one whose workers have the fewest sessions relative to their room,
    /// added up; ties go to the first in order of addresses.
    /// </summary>
    /// <returns>The stages from head to tail; empty when nobody serves some of the layers.</returns>
    public static ImmutableArray<PathHop> Choose(string model, IReadOnlyList<PathCandidate> candidates)
    {
        PathWay? best = null;
        foreach (var group in PathEdge.Of(model, candidates).GroupBy(static edge => edge.Joint))
        {
            if (FindSimple([.. group.OrderBy(static edge => edge.Shard.Range.Start)], group.Key.LayerCount) is { } way
                && (best is null || PathWay.Compare(way, best) < 0))
            {
                best = way;
            }
        }

        return best is null ? [] : [.. best.Edges().Select(static edge => new PathHop(edge.Candidate, edge.Shard))];
    }

    /// <summary>
    /// The best way that leads over no worker twice. Of two shards of one worker on a way one must go: each choice is a
    /// smaller problem, and the best solution of all of them that needs no further choice is the best there is.
    /// </summary>
    private static PathWay? FindSimple(PathEdge[] edges, int layers)
    {
        var open = new PriorityQueue<ImmutableHashSet<PathEdge>, PathWay>(Comparer<PathWay>.Create(PathWay.Compare));
        Add(ImmutableHashSet<PathEdge>.Empty);
        for (var i = 0; i < MaxDetours && open.TryDequeue(out var without, out var way); i++)
        {
            if (way.FindRepeated() is not var (one, other))
            {
                return way;
            }

            Add(without.Add(one));
            Add(without.Add(other));
        }

        return null;

        void Add(ImmutableHashSet<PathEdge> without)
        {
            if (FindBest(edges, layers, without) is { } found)
            {
                open.Enqueue(without, found);
            }
        }
    }

    private static PathWay? FindBest(PathEdge[] edges, int layers, ImmutableHashSet<PathEdge> without)
    {
        var best = new Dictionary<int, PathWay>(); // by the layer that a way ends before
        foreach (var edge in edges)
        {
            PathWay? before = null;
            if (without.Contains(edge) || (edge.Shard.Range.Start > 0 && !best.TryGetValue(edge.Shard.Range.Start, out before)))
            {
                continue;
            }

            var way = new PathWay(before, edge);
            if (!best.TryGetValue(edge.Shard.Range.End, out var known) || PathWay.Compare(way, known) < 0)
            {
                best[edge.Shard.Range.End] = way;
            }
        }

        return best.GetValueOrDefault(layers);
    }
}
