using System.Runtime.InteropServices;
using Parallax.Placement.Costs;

namespace Parallax.Placement.Grouping;

/// <summary>
/// Exchanges nodes between complete pipelines, and with nodes that none uses, where all stay complete and the way around
/// the rings gets shorter, or fewer machines have nodes in several pipelines. Z does not change.
/// </summary>
internal static class DistanceRefinement
{
    /// <summary>Exchanges looked at, at most; on large clusters the first sweep is not finished.</summary>
    private const int MostLooks = 8_000;

    private const int MostSweeps = 4;

    /// <summary>More than any way around a ring costs.</summary>
    private const double Forbidden = 1e9;

    public static void Refine(BinFigures figures, Links links, List<List<int>> groups)
    {
        if (!(links.HasDistances || links.HasUnreachable) || groups.Count == 0)
        {
            return;
        }

        var used = groups.SelectMany(static members => members).ToHashSet();
        var unused = Enumerable.Range(0, figures.Rooms.Length).Where(node => !used.Contains(node)).ToList();
        var looks = MostLooks;
        for (var sweep = 0; sweep < MostSweeps && Sweep(figures, links, groups, unused, ref looks); sweep++)
        {
        }
    }

    private static bool Sweep(BinFigures figures, Links links, List<List<int>> groups, List<int> unused, ref int looks)
    {
        var better = false;
        for (var a = 0; a < groups.Count; a++)
        {
            for (var i = 0; i < groups[a].Count; i++)
            {
                for (var b = a + 1; b <= groups.Count; b++)
                {
                    var other = b < groups.Count ? groups[b] : unused;
                    for (var j = 0; j < other.Count; j++)
                    {
                        if (looks-- <= 0)
                        {
                            return false;
                        }

                        better |= TryExchange(figures, links, groups[a], i, other, j, b < groups.Count);
                    }
                }
            }
        }

        return better;
    }

    private static bool TryExchange(BinFigures figures, Links links, List<int> one, int i, List<int> other, int j, bool bothCount)
    {
        var (mine, theirs) = (one[i], other[j]);
        var gain = Distance(figures, links, one, i, mine) - Distance(figures, links, one, i, theirs);
        if (bothCount)
        {
            gain += Distance(figures, links, other, j, theirs) - Distance(figures, links, other, j, mine);
        }

        if (gain <= 1e-6)
        {
            return false;
        }

        (one[i], other[j]) = (theirs, mine);
        if (figures.Slack(CollectionsMarshal.AsSpan(one)) >= 0 && (!bothCount || figures.Slack(CollectionsMarshal.AsSpan(other)) >= 0))
        {
            return true;
        }

        (one[i], other[j]) = (mine, theirs);
        return false;
    }

    /// <summary>What a node in the place of member <paramref name="at"/> adds to the way around: its mean distance to the others, there and on.</summary>
    private static double Distance(BinFigures figures, Links links, List<int> members, int at, int node)
    {
        if (members.Count < 2)
        {
            return 0;
        }

        var sum = 0.0;
        var index = figures.Rooms[node].Index;
        for (var k = 0; k < members.Count; k++)
        {
            if (k != at)
            {
                var other = figures.Rooms[members[k]].Index;
                sum += links.IsReachable(index, other) ? links.RoundTrip(index, other) : Forbidden;
            }
        }

        return 2 * sum / (members.Count - 1);
    }
}
