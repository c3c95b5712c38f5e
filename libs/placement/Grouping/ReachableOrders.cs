using System.Numerics;
using Parallax.Placement.Costs;

namespace Parallax.Placement.Grouping;

/// <summary>Orders in which the nodes of a set hold all layers where not everybody reaches everybody: by set, head and last node.</summary>
internal sealed class ReachableOrders
{
    private readonly ModelCosts _costs;
    private readonly Links _links;
    private readonly NodeRoom[] _rooms;
    private readonly int[,,] _end;      // by set, head, last node; -1: impossible
    private readonly int[,,] _previous; // who stands before the last

    public ReachableOrders(ModelCosts costs, Links links, NodeRoom[] rooms)
    {
        (_costs, _links, _rooms) = (costs, links, rooms);
        var (sets, nodes) = (1 << rooms.Length, rooms.Length);
        _end = new int[sets, nodes, nodes];
        _previous = new int[sets, nodes, nodes];
        for (var set = 1; set < sets; set++)
        {
            for (var head = 0; head < nodes; head++)
            {
                for (var last = 0; last < nodes; last++)
                {
                    Reach(set, head, last);
                }
            }
        }
    }

    /// <summary>An order in which these nodes, all of them, hold all layers and neighbours reach each other; or null.</summary>
    public NodeRoom[]? Of(int set)
    {
        for (var head = 0; head < _rooms.Length; head++)
        {
            for (var last = 0; last < _rooms.Length; last++)
            {
                if (_end[set, head, last] == _costs.Layers && IsLink(last, head))
                {
                    return Trace(set, head, last);
                }
            }
        }

        return null;
    }

    private void Reach(int set, int head, int last)
    {
        _end[set, head, last] = _previous[set, head, last] = -1;
        if ((set >> head & 1) == 0 || (set >> last & 1) == 0)
        {
            return;
        }

        var rest = set & ~(1 << last);
        if (rest == 0)
        {
            var end = _costs.FurthestEnd(_rooms[last], 0);
            _end[set, head, last] = end > 0 ? end : -1;
            return;
        }

        if (head == last)
        {
            return;
        }

        for (var others = rest; others != 0; others &= others - 1)
        {
            var before = BitOperations.TrailingZeroCount(others);
            var start = _end[rest, head, before];
            if (start < 0 || start >= _costs.Layers || !IsLink(before, last))
            {
                continue;
            }

            var end = _costs.FurthestEnd(_rooms[last], start);
            if (end > start && end > _end[set, head, last])
            {
                (_end[set, head, last], _previous[set, head, last]) = (end, before);
            }
        }
    }

    private bool IsLink(int from, int to) => from == to || _links.IsReachable(_rooms[from].Index, _rooms[to].Index);

    private NodeRoom[] Trace(int set, int head, int last)
    {
        var order = new NodeRoom[BitOperations.PopCount((uint)set)];
        for (var i = order.Length - 1; i >= 0; i--)
        {
            order[i] = _rooms[last];
            (set, last) = (set & ~(1 << last), _previous[set, head, last]);
        }

        return order;
    }
}
