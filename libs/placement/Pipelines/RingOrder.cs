using Parallax.Placement.Costs;

namespace Parallax.Placement.Pipelines;

/// <summary>Orders the nodes between a head and a tail so that little time is lost on the way.</summary>
internal static class RingOrder
{
    /// <summary>More than any ring of reachable nodes can cost.</summary>
    private const double Forbidden = 1e12;

    private const int MostSweeps = 8;

    /// <summary>Puts the head first, the tail last and the others between them: nearest neighbours, then turned round piece by piece.</summary>
    public static void Arrange(Links links, NodeRoom[] order)
    {
        if (order.Length <= 3 || !(links.HasDistances || links.HasUnreachable))
        {
            return;
        }

        for (var i = 1; i < order.Length - 1; i++)
        {
            var nearest = i;
            for (var j = i + 1; j < order.Length - 1; j++)
            {
                if (Cost(links, order[i - 1], order[j]) < Cost(links, order[i - 1], order[nearest]))
                {
                    nearest = j;
                }
            }

            (order[i], order[nearest]) = (order[nearest], order[i]);
        }

        for (var sweep = 0; sweep < MostSweeps && Improve(links, order); sweep++)
        {
        }
    }

    /// <summary>Whether all neighbours reach each other, tail and head included: the tail sends the head its tokens.</summary>
    public static bool IsReachable(Links links, ReadOnlySpan<NodeRoom> order)
    {
        for (var i = 0; links.HasUnreachable && i < order.Length; i++)
        {
            if (!links.IsReachable(order[i].Index, order[(i + 1) % order.Length].Index))
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>Time that one decode step spends on links: half a round trip for each hop of the ring.</summary>
    public static double HopMilliseconds(Links links, ReadOnlySpan<NodeRoom> order)
    {
        var sum = 0.0;
        for (var i = 0; i < order.Length; i++)
        {
            sum += links.RoundTrip(order[i].Index, order[(i + 1) % order.Length].Index) / 2;
        }

        return sum;
    }

    private static bool Improve(Links links, NodeRoom[] order)
    {
        var better = false;
        for (var i = 1; i < order.Length - 2; i++)
        {
            for (var j = i + 1; j < order.Length - 1; j++)
            {
                var now = Cost(links, order[i - 1], order[i]) + Cost(links, order[j], order[j + 1]);
                var then = Cost(links, order[i - 1], order[j]) + Cost(links, order[i], order[j + 1]);
                if (then < now - 1e-9)
                {
                    Array.Reverse(order, i, j - i + 1);
                    better = true;
                }
            }
        }

        return better;
    }

    private static double Cost(Links links, NodeRoom from, NodeRoom to) =>
        links.IsReachable(from.Index, to.Index) ? links.RoundTrip(from.Index, to.Index) : Forbidden;
}
