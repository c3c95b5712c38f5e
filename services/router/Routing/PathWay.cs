namespace Parallax.Router.Routing;

/// <summary>A chain of ranges from the first layer on: the one before, and a further step.</summary>
internal sealed class PathWay(PathWay? before, PathEdge last)
{
    private readonly int _stages = (before?._stages ?? 0) + 1;
    private readonly long _load = (before?._load ?? 0) + last.Load;

    /// <summary>Negative when <paramref name="a"/> is the better way to the same layer. Total but for equal shards of one worker.</summary>
    public static int Compare(PathWay a, PathWay b)
    {
        var order = a._stages.CompareTo(b._stages);
        order = order != 0 ? order : a._load.CompareTo(b._load);
        order = order != 0 ? order : CompareText(a, b, static edge => edge.Address);
        return order != 0 ? order : CompareText(a, b, static edge => edge.Shard.ShardId);
    }

    /// <summary>The steps, from the first on.</summary>
    public PathEdge[] Edges()
    {
        var edges = new PathEdge[_stages];
        for (var (way, i) = (this, _stages - 1); way is not null; (way, i) = (way.Before, i - 1))
        {
            edges[i] = way.Last;
        }

        return edges;
    }

    /// <summary>Two steps of the same worker; null when there are none.</summary>
    public (PathEdge One, PathEdge Other)? FindRepeated()
    {
        var seen = new Dictionary<string, PathEdge>(StringComparer.Ordinal);
        foreach (var edge in Edges())
        {
            if (!seen.TryAdd(edge.WorkerId, edge))
            {
                return (seen[edge.WorkerId], edge);
            }
        }

        return null;
    }

    private PathWay? Before => before;

    private PathEdge Last => last;

    /// <summary>By a text of each step, in order from the head; both have as many stages.</summary>
    private static int CompareText(PathWay? a, PathWay? b, Func<PathEdge, string> text)
    {
        if (ReferenceEquals(a, b))
        {
            return 0; // the same beginning, or none
        }

        var order = CompareText(a!.Before, b!.Before, text);
        return order != 0 ? order : string.CompareOrdinal(text(a.Last), text(b.Last));
    }
}
