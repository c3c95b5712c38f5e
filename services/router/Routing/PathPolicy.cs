using System.Collections.Immutable;
using System.Runtime.InteropServices;

namespace Parallax.Router.Routing;

/// <summary>
/// Chooses the path of a request: workers whose layer ranges follow one another from the first layer to the last, all
/// of one numeric class, none of them twice; the cheapest, by time where speeds are known, else by stages and load.
/// Pure: the same arguments give the same path, in whatever order the candidates stand.
/// </summary>
/// <remarks>
/// Many routers look at the same map at the same time, and none sees what the others are about to do. So a path is drawn
/// where several are about as good: two at random, of which the cheaper is taken ("the power of two choices"). The path
/// that was taken last is kept while it is about as good, so that noise in the measurements moves nobody.
/// </remarks>
internal static class PathPolicy
{
    /// <summary>
    /// How often a path that leads over a worker twice is mended before it is given up. That takes a worker that serves
    /// several ranges of one model, and then a detour is next to always found at once.
    /// </summary>
    private const int MaxDetours = 256;

    /// <summary>Refilling all layers counts as much as so many stages.</summary>
    private const int RefillStages = 8;

    /// <summary>Tries to draw a second path that differs from the first.</summary>
    private const int MaxDraws = 4;

    /// <summary>The path under the loads that the map itself was built with; see the other overload.</summary>
    public static PathChoice? Choose(
        PathMap map, PathRequest request, PathOptions options, ImmutableArray<ShardKey> previous = default, ulong? random = null)
    {
        StageLoad[] loads = [.. map.Nodes.Select(static node => node.Shard.Load)];
        return Choose(map, loads, request, options, previous, random);
    }

    /// <summary>Chooses a path.</summary>
    /// <param name="map">Who serves the model.</param>
    /// <param name="loads">How busy each of the map's nodes is now, in their order.</param>
    /// <param name="request">What it is for.</param>
    /// <param name="options">How to weigh.</param>
    /// <param name="previous">The path taken last; default: none.</param>
    /// <param name="random">Decides between paths that are about as good; null takes the best, ties by id.</param>
    /// <returns>Null when there is no path that has room.</returns>
    public static PathChoice? Choose(
        PathMap map,
        ReadOnlySpan<StageLoad> loads,
        PathRequest request,
        PathOptions options,
        ImmutableArray<ShardKey> previous,
        ulong? random)
    {
        List<(PathSearch Search, int[] Path)> found = [];
        int[][] reaches = [.. map.Groups.Select(group => PrefixLevels.WithinReach(group, request))];
        foreach (var (group, reach) in map.Groups.Zip(reaches))
        {
            var ceiling = CostUnit.Infinite;
            foreach (var level in PrefixLevels.Of(group, loads, request, reach))
            {
                if (FindSimple(group, StageCosts(group, loads, request, options, level, reach), options.NearShare, ceiling) is { } search)
                {
                    found.Add(search);
                    ceiling = Math.Min(ceiling, search.Search.Best);
                }
            }
        }

        if (found.Count == 0)
        {
            return null;
        }

        var (best, path) = found.MinBy(static candidate => candidate.Search.CostOf(candidate.Path)); // the first of equals
        var cost = best.CostOf(path);
        var reason = PathReason.Best;
        if (options.Rule is not PathRule.Random && Find(found, previous) is { } kept && kept.Search.CostOf(kept.Path) <= PathSearch.Limit(cost, Margin(best.Group, options.KeepShare)))
        {
            reason = kept.Search == best && kept.Path.AsSpan().SequenceEqual(path) ? PathReason.Best : PathReason.Kept;
            (best, path) = kept;
        }
        else if (random is { } seed)
        {
            var drawn = DrawTwo(found, PathSearch.Limit(cost, Margin(best.Group, options.NearShare)), seed) ?? (best, path);
            reason = drawn.Search == best && drawn.Path.AsSpan().SequenceEqual(path) ? PathReason.Best : PathReason.Drawn;
            (best, path) = drawn;
        }

        return ToChoice(best.Group, path, loads, request, options, reason, reaches[map.Groups.IndexOf(best.Group)]);
    }

    /// <summary>Whether all of these shards are on the map: a path over others cannot be compared.</summary>
    public static bool IsOn(PathMap map, ImmutableArray<ShardKey> shards) =>
        !shards.IsDefaultOrEmpty && map.Groups.Any(group => shards.All(shard => group.Find(shard) >= 0));

    /// <summary>Loads are exact, so nothing counts as about as good but what is.</summary>
    private static double Margin(PathGroup group, double share) => group.HasSpeeds ? share : 0;

    /// <summary>What each stage costs on a path that begins with <paramref name="level"/> tokens which all stages have, or get (<see cref="PrefixLevels"/>).</summary>
    private static long[] StageCosts(PathGroup group, ReadOnlySpan<StageLoad> loads, PathRequest request, PathOptions options, int level, int[] reach)
    {
        var costs = new long[group.Nodes.Length];
        var transfer = CostUnit.FromMs(TransferMs(request, options, level));
        for (var i = 0; i < costs.Length; i++)
        {
            var node = group.Nodes[i];
            ref readonly var load = ref loads[group.FirstNode + i];
            var isKept = request.Kept?.Contains((node.WorkerId, node.Offer.Range)) ?? false;
            if ((level > 0 && reach[i] < level) || (node.Offer.IsEnding && !isKept))
            {
                costs[i] = CostUnit.Infinite;
                continue;
            }

            var hasRoom = isKept ? StageCost.Fits(node.Offer, request) : StageCost.HasRoom(node.Offer, load, request);
            costs[i] = !hasRoom || (request.Avoided?.Contains(node.WorkerId) ?? false) ? CostUnit.Infinite
                : !group.HasSpeeds ? CostUnit.Stage + (options.Rule is PathRule.Random ? 0 : LoadCost(node, load)) + (isKept ? 0 : RefillCost(group, node, request))
                : CostUnit.FromMs(CostOf(group, i, load, request, level).TotalMs) + (i < group.HeadCount ? 0 : transfer); // of the hop to it
        }

        return costs;
    }

    /// <summary>What it counts, where no speeds are known, to give a session's layers to a worker that has nothing of it: by their number.</summary>
    private static long RefillCost(PathGroup group, PathNode node, PathRequest request) =>
        request.Kept is null ? 0 : RefillStages * CostUnit.Stage / group.LayerCount * node.Offer.Range.Count;

    private static long LoadCost(PathNode node, in StageLoad load)
    {
        var room = Math.Max(1, node.Offer.MaxSessions);
        return Math.Clamp(load.Sessions, 0, room) * CostUnit.Load / room;
    }

    private static StageCost CostOf(PathGroup group, int index, in StageLoad load, PathRequest request, int level)
    {
        var node = group.Nodes[index];
        var restored = level == 0 ? 0 : Math.Max(0, level - request.CachedByNode.Span[group.FirstNode + index]);
        return StageCost.Of(
                node.Shard.Speed, load, request, request.CachedTokens?.GetValueOrDefault(node.WorkerId) ?? level, restored * group.RestoreMs(index))
            // Nothing is known of this one while others are known: as slow as the slowest, and slower the busier it is.
            ?? new StageCost(group.UnknownMsPerLayer * node.Offer.Range.Count * (1 + RelativeLoad(node, load)), 0, 0);
    }

    private static double RelativeLoad(PathNode node, in StageLoad load) => load.Sessions / (double)Math.Max(1, node.Offer.MaxSessions);

    /// <summary>Of one hop, per token of the answer: its own row, and its share of those of the prompt that are computed.</summary>
    private static double TransferMs(PathRequest request, PathOptions options, int level) =>
        request.HiddenBytes * (1 + (Math.Max(0, request.PromptTokens - level) / (double)request.ExpectedTokens)) / options.LinkBytesPerSecond * 1000;

    /// <summary>
    /// The best path that leads over no worker twice. Of two shards of one worker on a path one must go: each choice is a
    /// smaller problem, and the best solution of all of them that needs no further choice is the best there is.
    /// </summary>
    private static (PathSearch Search, int[] Path)? FindSimple(PathGroup group, long[] costs, double margin, long ceiling)
    {
        var open = new PriorityQueue<(PathSearch Search, long[] Costs, int[] Path), (long Cost, int[] Path)>(ByCostThenIds);
        Add(costs);
        for (var i = 0; i < MaxDetours && open.TryDequeue(out var next, out _); i++)
        {
            if (FindRepeated(group, next.Path) is not var (one, other))
            {
                return (next.Search, next.Path);
            }

            Add(Without(next.Costs, one));
            Add(Without(next.Costs, other));
        }

        return null;

        void Add(long[] costs)
        {
            var search = new PathSearch(group, costs);
            search.Solve(margin, ceiling);
            if (search.Best < CostUnit.Infinite)
            {
                var path = search.BestPath();
                open.Enqueue((search, costs, path), (search.Best, path));
            }
        }

        static long[] Without(long[] costs, int node)
        {
            var fewer = costs.AsSpan().ToArray();
            fewer[node] = CostUnit.Infinite;
            return fewer;
        }
    }

    private static readonly Comparer<(long Cost, int[] Path)> ByCostThenIds = Comparer<(long Cost, int[] Path)>.Create(static (a, b) =>
    {
        var order = a.Cost.CompareTo(b.Cost);
        return order != 0 ? order : a.Path.AsSpan().SequenceCompareTo(b.Path);
    });

    /// <summary>Two nodes of one worker on a path; null when there are none.</summary>
    private static (int One, int Other)? FindRepeated(PathGroup group, int[] path)
    {
        if (!group.HasRepeatedWorkers)
        {
            return null;
        }

        var seen = new Dictionary<int, int>();
        foreach (var node in path)
        {
            if (!seen.TryAdd(group.Workers[node], node))
            {
                return (seen[group.Workers[node]], node);
            }
        }

        return null;
    }

    private static (PathSearch Search, int[] Path)? Find(List<(PathSearch Search, int[] Path)> found, ImmutableArray<ShardKey> shards)
    {
        if (shards.IsDefaultOrEmpty)
        {
            return null;
        }

        (PathSearch Search, int[] Path)? cheapest = null;
        foreach (var (search, _) in found)
        {
            // The same path may be found with more and with less of the prompt cached.
            var path = ImmutableCollectionsMarshal.AsArray(shards)!.Select(search.Group.Find).ToArray();
            if (path.All(static node => node >= 0) && (cheapest is not var (other, same) || search.CostOf(path) < other.CostOf(same)))
            {
                cheapest = (search, path);
            }
        }

        return cheapest;
    }

    /// <summary>The cheaper of two paths drawn from those within the limit, the first where they cost the same; null when none could be drawn.</summary>
    private static (PathSearch Search, int[] Path)? DrawTwo(List<(PathSearch Search, int[] Path)> found, long limit, ulong seed)
    {
        List<(PathSearch Search, int Head)> heads = [];
        foreach (var (search, _) in found)
        {
            for (var head = 0; head < search.Group.HeadCount; head++)
            {
                if (search.CostFrom(head) <= limit)
                {
                    heads.Add((search, head));
                }
            }
        }

        var random = new SplitMix(seed);
        (PathSearch Search, int[] Path)? first = null;
        for (var i = 0; i < MaxDraws; i++)
        {
            var (search, head) = heads[random.Below(heads.Count)];
            var path = search.Draw(head, limit, ref random);
            if (FindRepeated(search.Group, path) is not null)
            {
                continue;
            }

            if (first is not { } one)
            {
                first = (search, path);
            }
            else if (one.Search.Group != search.Group || !one.Path.AsSpan().SequenceEqual(path))
            {
                return search.CostOf(path) < one.Search.CostOf(one.Path) ? (search, path) : one;
            }
        }

        return first;
    }

    private static PathChoice ToChoice(
        PathGroup group, int[] path, ReadOnlySpan<StageLoad> loads, PathRequest request, PathOptions options, PathReason reason, int[] reach)
    {
        var hops = ImmutableArray.CreateBuilder<PathHop>(path.Length);
        var cost = default(PathCost);
        var links = path.Length == 1 ? 0 : group.Closing(path[0], path[^1]);
        var cached = PrefixLevels.OfPath(path, reach);
        for (var i = 0; i < path.Length; i++)
        {
            var node = group.Nodes[path[i]];
            ref readonly var load = ref loads[group.FirstNode + path[i]];
            var stage = group.HasSpeeds ? CostOf(group, path[i], load, request, cached) : new StageCost(double.NaN, 0, 0);
            cost = new PathCost(
                cost.ComputeMs + stage.ComputeMs,
                0,
                cost.QueueMs + stage.QueueMs,
                cost.PrefillMs + stage.PrefillMs,
                cost.Load + RelativeLoad(node, load));
            hops.Add(new PathHop(node.Candidate, node.Offer, node.Key));
            if (i > 0)
            {
                links += group.Hops(path[i - 1], out var first)[path[i] - first];
            }
        }

        return new PathChoice(
            hops.MoveToImmutable(),
            cost with { LinkMs = CostUnit.ToMs(links) + ((path.Length - 1) * TransferMs(request, options, cached)) },
            reason)
        {
            CachedTokens = cached,
        };
    }
}
