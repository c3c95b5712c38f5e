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

    /// <summary>
    /// Orders in which these nodes, all of them, get to the last layer and neighbours reach each other. Whether each of them
    /// also gets a layer is for whoever cuts to say: a node may be there only because it is reached by two that are not.
    /// </summary>
    public IEnumerable<NodeRoom[]> Of(int set)
    {
        for (var head = 0; head < _rooms.Length; head++)
        {
            for (var last = 0; last < _rooms.Length; last++)
            {
                if (_end[set, head, last] == _costs.Layers && IsLink(last, head))
                {
                    yield return Trace(set, head, last);
                }
            }
        }
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
            if (_end[rest, head, before] < 0 || !IsLink(before, last))
            {
                continue;
            }

            var end = Continue(_rooms[last], _end[rest, head, before]);
            if (end > _end[set, head, last])
            {
                (_end[set, head, last], _previous[set, head, last]) = (end, before);
            }
        }
    }

    /// <summary>How far a node gets after others; where they have all layers already they leave it one. -1: it can have none.</summary>
    private int Continue(NodeRoom room, int covered)
    {
        var start = Math.Min(covered, _costs.Layers - 1);
        var end = _costs.FurthestEnd(room, start);
        if (end > start)
        {
            return end;
        }

        // Not the last layer, for lack of room for the LM head, but perhaps the one before.
        return start == _costs.Layers - 1 && start > 0 && _costs.FurthestEnd(room, start - 1) == start ? start : -1;
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
