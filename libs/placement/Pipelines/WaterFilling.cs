using Parallax.Contracts.Identifiers;
using Parallax.Placement.Costs;

namespace Parallax.Placement.Pipelines;

/// <summary>
/// Cuts the layers between nodes that stand in a given order, so that the slowest stage is as fast as it can be and nobody
/// holds more than fits. Each node gets a layer at least.
/// </summary>
internal static class WaterFilling
{
    private const int Halvings = 40;

    /// <summary>The ends of the nodes' ranges, or null where they do not hold all layers in this order.</summary>
    public static int[]? Fill(ModelCosts costs, ReadOnlySpan<NodeRoom> order) =>
        order.Length == 0 || order.Length > costs.Layers ? null
        : order.Length == 1 ? costs.Fits(order[0], costs.Whole) ? [costs.Layers] : null
        : costs.IsUniform ? FillAlike(costs, order) : FillMixed(costs, order);

    /// <summary>Layers that are all alike: one after the other to whoever has it done first.</summary>
    private static int[]? FillAlike(ModelCosts costs, ReadOnlySpan<NodeRoom> order)
    {
        var stages = order.Length;
        var room = new int[stages];
        var each = new double[stages];
        var time = new double[stages]; // with one layer more than it has
        var count = new int[stages];
        for (var i = 0; i < stages; i++)
        {
            var capacity = costs.Capacity(order[i]);
            room[i] = i == 0 ? capacity.WithEmbedding : i == stages - 1 ? capacity.WithHead : capacity.Plain;
            if (room[i] < 1)
            {
                return null;
            }

            each[i] = costs.BatchMilliseconds(order[i], new LayerRange(0, costs.Layers - 1)) / (costs.Layers - 1);
            count[i] = 1;
            time[i] = (2 * each[i]) + (i == stages - 1 ? costs.HeadMilliseconds(order[i]) : 0);
        }

        for (var left = costs.Layers - stages; left > 0; left--)
        {
            var next = -1;
            for (var i = 0; i < stages; i++)
            {
                if (count[i] < room[i] && (next < 0 || time[i] < time[next]))
                {
                    next = i;
                }
            }

            if (next < 0)
            {
                return null;
            }

            count[next]++;
            time[next] += each[next];
        }

        for (var i = 1; i < stages; i++)
        {
            count[i] += count[i - 1];
        }

        // Counts come from quotients; at absurd sizes these are not exact to the byte.
        for (var i = 0; i < stages; i++)
        {
            if (!costs.Fits(order[i], new LayerRange(i == 0 ? 0 : count[i - 1], count[i])))
            {
                return null;
            }
        }

        return count;
    }

    /// <summary>Layers of several kinds: where a node's range begins decides how many it holds, so the bound on the time is searched.</summary>
    private static int[]? FillMixed(ModelCosts costs, ReadOnlySpan<NodeRoom> order)
    {
        var best = FillWithin(costs, order, double.PositiveInfinity);
        if (best is null)
        {
            return null;
        }

        var (low, high) = (0.0, Slowest(costs, order, best));
        for (var i = 0; i < Halvings && high - low > 1e-6 * high; i++)
        {
            var middle = (low + high) / 2;
            if (FillWithin(costs, order, middle) is { } better)
            {
                (best, high) = (better, Math.Min(middle, Slowest(costs, order, better)));
            }
            else
            {
                low = middle;
            }
        }

        return best;
    }

    private static int[]? FillWithin(ModelCosts costs, ReadOnlySpan<NodeRoom> order, double limit)
    {
        var ends = new int[order.Length];
        var start = 0;
        for (var i = 0; i < order.Length; i++)
        {
            // The others need a layer each.
            var most = costs.Layers - (order.Length - 1 - i);
            var end = Math.Min(most, costs.FurthestEnd(order[i], start));
            if (!double.IsPositiveInfinity(limit))
            {
                end = WithinTime(costs, order[i], start, end, limit);
            }

            if (end <= start)
            {
                return null;
            }

            ends[i] = start = end;
        }

        return start == costs.Layers ? ends : null;
    }

    private static int WithinTime(ModelCosts costs, NodeRoom room, int start, int end, double limit)
    {
        var (low, high) = (start, end);
        while (low < high)
        {
            var middle = low + ((high - low + 1) / 2);
            if (costs.BatchMilliseconds(room, new LayerRange(start, middle)) <= limit)
            {
                low = middle;
            }
            else
            {
                high = middle - 1;
            }
        }

        return low;
    }

    private static double Slowest(ModelCosts costs, ReadOnlySpan<NodeRoom> order, int[] ends)
    {
        var slowest = 0.0;
        for (var i = 0; i < order.Length; i++)
        {
            slowest = Math.Max(slowest, costs.BatchMilliseconds(order[i], new LayerRange(i == 0 ? 0 : ends[i - 1], ends[i])));
        }

        return slowest;
    }
}
