namespace Parallax.Router.Routing;

/// <summary>
/// How many leading tokens of a prompt paths are looked for with. All stages of a path begin at the least of what they have,
/// so that stages cannot be weighed one by one. But among stages that can have at least so and so many tokens each costs what
/// it costs with that many, and a path is the best there is if it is the best at one of these levels. A stage has what it has
/// cached itself, and what it can get from the KV cache: that is what others have cached of each of its layers, as far as
/// anybody has measured how long getting it takes. Pure.
/// </summary>
internal static class PrefixLevels
{
    /// <summary>Levels above 0 at most: of more, paths between two are weighed as if they had the lower one.</summary>
    private const int MaxLevels = 3;

    private static readonly int[] OnlyCold = [0];

    /// <summary>Leading tokens that each node of a group can have; empty when nobody has any, or paths do not go by speeds.</summary>
    public static int[] WithinReach(PathGroup group, PathRequest request)
    {
        if (request.CachedByNode.IsEmpty || !group.HasSpeeds)
        {
            return [];
        }

        var cached = request.CachedByNode.Span.Slice(group.FirstNode, group.Nodes.Length);
        if (!cached.ContainsAnyExcept(0))
        {
            return [];
        }

        var reach = cached.ToArray();
        if (group.RestoreMsPerLayer <= 0)
        {
            return reach;
        }

        var byLayer = new int[group.LayerCount]; // the most that anybody has of it
        for (var node = 0; node < reach.Length; node++)
        {
            var range = group.Nodes[node].Offer.Range;
            foreach (ref var most in byLayer.AsSpan(range.Start, range.Count))
            {
                most = Math.Max(most, cached[node]);
            }
        }

        for (var node = 0; node < reach.Length; node++)
        {
            if (group.RestoreMs(node) >= group.Nodes[node].Shard.Speed.PrefillMs())
            {
                continue; // the worker computes it
            }

            var range = group.Nodes[node].Offer.Range;
            var least = int.MaxValue;
            foreach (var most in byLayer.AsSpan(range.Start, range.Count))
            {
                least = Math.Min(least, most);
            }

            reach[node] = Math.Max(cached[node], least);
        }

        return reach;
    }

    /// <summary>The levels that make a difference in a group, the highest first, 0 last.</summary>
    /// <param name="group">The group.</param>
    /// <param name="loads">How busy the map's nodes are.</param>
    /// <param name="request">What for.</param>
    /// <param name="reach">As <see cref="WithinReach"/> has it.</param>
    public static int[] Of(PathGroup group, ReadOnlySpan<StageLoad> loads, PathRequest request, int[] reach)
    {
        if (reach.Length == 0 || Reachable(group, loads, request, reach) is not (> 0 and var highest))
        {
            return OnlyCold;
        }

        var distinct = new SortedSet<int>();
        foreach (var tokens in reach)
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

    /// <summary>Tokens that all stages of a path can have.</summary>
    public static int OfPath(int[] path, int[] reach) => reach.Length == 0 ? 0 : path.Min(node => reach[node]);

    /// <summary>The most tokens that all stages of some path with room can have: its widest path.</summary>
    private static int Reachable(PathGroup group, ReadOnlySpan<StageLoad> loads, PathRequest request, int[] reach)
    {
        var widths = new int[reach.Length];
        for (var node = reach.Length - 1; node >= 0; node--)
        {
            if (reach[node] == 0 || !StageCost.HasRoom(group.Nodes[node].Offer, loads[group.FirstNode + node], request)
                || (request.Avoided?.Contains(group.Nodes[node].WorkerId) ?? false))
            {
                continue;
            }

            widths[node] = group.IsTail(node) ? reach[node] : Math.Min(reach[node], Onwards(group, widths, node));
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
