using System.Numerics;

namespace Parallax.Router.Routing;

/// <summary>
/// Shortest paths through one group under given costs of its stages. Ranges only lead upwards, so one pass from the
/// tails to the heads finds the cheapest way from every shard on; the hop from the tail back to the head makes that
/// pass depend on the head, so it is done once for each head that may still matter. Single-threaded.
/// </summary>
internal sealed class PathSearch
{
    private readonly PathGroup _group;
    private readonly long[] _stages; // cost by node
    private readonly long[] _onwards; // cheapest way from a node to a tail, and back to the head at hand
    private readonly long[] _heads;   // cheapest path by head; infinite also where it cannot matter

    /// <param name="group">The shards.</param>
    /// <param name="stages">What each costs, by node; infinite leaves it out.</param>
    public PathSearch(PathGroup group, long[] stages)
    {
        _group = group;
        _stages = stages;
        _onwards = new long[stages.Length];
        _heads = new long[group.HeadCount];
    }

    public PathGroup Group => _group;

    /// <summary>The cheapest path's cost; infinite when there is none.</summary>
    public long Best { get; private set; } = CostUnit.Infinite;

    /// <summary>Cost of the cheapest path from a head, once solved; exact up to the margin.</summary>
    public long CostFrom(int head) => _heads[head];

    /// <summary>Finds the cheapest path of every head whose path costs at most <paramref name="margin"/> (a share) more than the best.</summary>
    /// <param name="margin">The share.</param>
    /// <param name="ceiling">The best that is known from elsewhere: paths that cost more than it and the margin may be left out.</param>
    public void Solve(double margin, long ceiling = CostUnit.Infinite)
    {
        Best = CostUnit.Infinite;
        Array.Fill(_heads, CostUnit.Infinite);
        var bounds = new long[_heads.Length];
        var order = new int[_heads.Length];
        Descend(head: -1);
        for (var head = 0; head < _heads.Length; head++)
        {
            order[head] = head;
            bounds[head] = From(head, closes: false) + (_group.IsTail(head) ? 0 : _group.LeastClosing(head));
        }

        Array.Sort(bounds, order); // not stable, which is no matter: every head below the limit is solved
        for (var i = 0; i < order.Length && bounds[i] < CostUnit.Infinite && bounds[i] <= Limit(Math.Min(Best, ceiling), margin); i++)
        {
            Descend(order[i]);
            _heads[order[i]] = Math.Min(CostUnit.Infinite, From(order[i], closes: true));
            Best = Math.Min(Best, _heads[order[i]]);
        }
    }

    /// <summary>What still counts as near.</summary>
    public static long Limit(long best, double margin) => best >= CostUnit.Infinite ? CostUnit.Infinite - 1 : best + (long)(best * margin);

    /// <summary>The cheapest path; of several the first in order of ids from the head. There must be one.</summary>
    public int[] BestPath()
    {
        var head = Array.IndexOf(_heads, Best);
        Descend(head);
        var path = new List<int> { head };
        for (var node = head; !_group.IsTail(node);)
        {
            var hops = _group.Hops(node, out var first);
            var least = LeastOfSums(hops, _onwards.AsSpan(first, hops.Length));
            var next = 0;
            while (hops[next] + _onwards[first + next] != least)
            {
                next++;
            }

            path.Add(node = first + next);
        }

        return [.. path];
    }

    /// <summary>
    /// One of the paths from a head that cost at most <paramref name="limit"/>: at each fork every way that leads to
    /// such a path is equally likely.
    /// </summary>
    public int[] Draw(int head, long limit, ref SplitMix random)
    {
        Descend(head);
        var path = new List<int> { head };
        var left = limit - _stages[head];
        for (var node = head; !_group.IsTail(node);)
        {
            var hops = _group.Hops(node, out var first);
            var ways = 0;
            for (var i = 0; i < hops.Length; i++)
            {
                ways += hops[i] + _onwards[first + i] <= left ? 1 : 0;
            }

            var next = -1;
            for (var skip = random.Below(ways); skip >= 0; skip--)
            {
                do
                {
                    next++;
                }
                while (hops[next] + _onwards[first + next] > left);
            }

            node = first + next;
            left -= hops[next] + _stages[node];
            path.Add(node);
        }

        return [.. path];
    }

    /// <summary>What a path costs; infinite when it is none under the present costs.</summary>
    public long CostOf(ReadOnlySpan<int> path)
    {
        var cost = _stages[path[0]];
        for (var i = 1; i < path.Length && cost < CostUnit.Infinite; i++)
        {
            var hops = _group.Hops(path[i - 1], out var first);
            var next = path[i] - first;
            cost += next < 0 || next >= hops.Length ? CostUnit.Infinite : hops[next] + _stages[path[i]];
        }

        var isWhole = path[0] < _group.HeadCount && _group.IsTail(path[^1]);
        return cost >= CostUnit.Infinite || !isWhole ? CostUnit.Infinite : Math.Min(CostUnit.Infinite, cost + _group.Closing(path[0], path[^1]));
    }

    /// <summary>Fills <see cref="_onwards"/> for all nodes but the heads; with the hop back to <paramref name="head"/> unless it is negative.</summary>
    private void Descend(int head)
    {
        for (var node = _stages.Length - 1; node >= _heads.Length; node--)
        {
            if (_stages[node] >= CostUnit.Infinite)
            {
                _onwards[node] = CostUnit.Infinite;
                continue;
            }

            var on = Onwards(node, head);
            _onwards[node] = Math.Min(CostUnit.Infinite, _stages[node] + on);
        }
    }

    private long From(int head, bool closes) =>
        _stages[head] >= CostUnit.Infinite ? CostUnit.Infinite : Math.Min(CostUnit.Infinite, _stages[head] + Onwards(head, closes ? head : -1));

    private long Onwards(int node, int head)
    {
        if (_group.IsTail(node))
        {
            return head < 0 ? 0 : _group.Closing(head, node);
        }

        var hops = _group.Hops(node, out var first);
        return LeastOfSums(hops, _onwards.AsSpan(first, hops.Length));
    }

    private static long LeastOfSums(ReadOnlySpan<long> a, ReadOnlySpan<long> b)
    {
        var least = CostUnit.Infinite;
        var i = 0;
        if (a.Length >= Vector<long>.Count)
        {
            var lanes = new Vector<long>(CostUnit.Infinite);
            for (; i <= a.Length - Vector<long>.Count; i += Vector<long>.Count)
            {
                lanes = Vector.Min(lanes, new Vector<long>(a[i..]) + new Vector<long>(b[i..]));
            }

            for (var lane = 0; lane < Vector<long>.Count; lane++)
            {
                least = Math.Min(least, lanes[lane]);
            }
        }

        for (; i < a.Length; i++)
        {
            least = Math.Min(least, a[i] + b[i]);
        }

        return least;
    }
}
