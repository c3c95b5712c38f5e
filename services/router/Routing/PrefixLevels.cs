namespace Parallax.Router.Routing;

/// <summary>
/// How many cached tokens paths are looked for with. All stages of a path begin at the least of what they have cached, so
/// that stages cannot be weighed one by one. But among stages that have at least so and so many tokens each costs what it
/// costs with that many, and a path is the best there is if it is the best at one of these levels. Pure.
/// </summary>
internal static class PrefixLevels
{
    /// <summary>Levels above 0 at most: of more, paths between two are weighed as if they had the lower one.</summary>
    private const int MaxLevels = 3;

    private static readonly int[] OnlyCold = [0];

    /// <summary>The levels that make a difference in a group, the highest first, 0 last.</summary>
    public static int[] Of(PathGroup group, ReadOnlySpan<StageLoad> loads, PathRequest request)
    {
        if (request.CachedByNode.IsEmpty || !group.HasSpeeds)
        {
            return OnlyCold;
        }

        var cached = request.CachedByNode.Span.Slice(group.FirstNode, group.Nodes.Length);
        if (!cached.ContainsAnyExcept(0) || Reachable(group, loads, request, cached) is not (> 0 and var highest))
        {
            return OnlyCold;
        }

        var distinct = new SortedSet<int>();
        foreach (var tokens in cached)
        {
            if (tokens > 0 && tokens <= highest)
            {
                distinct.Add(tokens);
            }
        }

        int[] levels = [.. distinct.Reverse()];
        return levels.Length <= MaxLevels
            ? [.. levels, 0]
            : [.. Enumerable.Range(0, MaxLevels).Select(i => levels[i * (levels.Length - 1) / (MaxLevels - 1)]), 0];
    }

    /// <summary>Cached tokens that all stages of a path have.</summary>
    public static int OfPath(PathGroup group, int[] path, PathRequest request)
    {
        if (request.CachedByNode.IsEmpty)
        {
            return 0;
        }

        var least = int.MaxValue;
        foreach (var node in path)
        {
            least = Math.Min(least, request.CachedByNode.Span[group.FirstNode + node]);
        }

        return least;
    }

    /// <summary>The most cached tokens that all stages of some path with room have: its widest path.</summary>
    private static int Reachable(PathGroup group, ReadOnlySpan<StageLoad> loads, PathRequest request, ReadOnlySpan<int> cached)
    {
        var widths = new int[cached.Length];
        for (var node = cached.Length - 1; node >= 0; node--)
        {
            if (cached[node] == 0 || !StageCost.HasRoom(group.Nodes[node].Offer, loads[group.FirstNode + node], request)
                || (request.Avoided?.Contains(group.Nodes[node].WorkerId) ?? false))
            {
                continue;
            }

            widths[node] = group.IsTail(node) ? cached[node] : Math.Min(cached[node], Onwards(group, widths, node));
        }

        return group.HeadCount == 0 ? 0 : widths.AsSpan(0, group.HeadCount).ToArray().Max();
    }

    private static int Onwards(PathGroup group, int[] widths, int node)
    {
        var hops = group.Hops(node, out var first);
        var widest = 0;
        for (var i = 0; i < hops.Length; i++)
        {
            widest = hops[i] < CostUnit.Infinite ? Math.Max(widest, widths[first + i]) : widest;
        }

        return widest;
    }
}
