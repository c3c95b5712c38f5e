using Parallax.Placement.Costs;
using Parallax.Placement.Pipelines;

namespace Parallax.Placement.Grouping;

/// <summary>
/// Pipelines where not everybody reaches everybody: grown stage by stage along pairs that do, with a bounded search for a
/// way that closes the ring.
/// </summary>
internal sealed class PathGrowth
{
    private const int StepsPerHead = 400;

    private readonly PipelineBuilder _builder;
    private readonly ModelCosts _costs;
    private readonly Links _links;
    private readonly List<NodeRoom> _free; // largest first
    private readonly List<NodeRoom> _path = [];
    private int _steps;

    private PathGrowth(PipelineBuilder builder, IEnumerable<NodeRoom> rooms)
    {
        (_builder, _costs, _links) = (builder, builder.Costs, builder.Links);
        _free = [.. rooms];
    }

    /// <summary>As many pipelines as it finds, in the order found.</summary>
    /// <param name="builder">For this model.</param>
    /// <param name="rooms">Largest first.</param>
    /// <param name="mostPipelines">At most so many.</param>
    public static List<Pipeline> Grow(PipelineBuilder builder, IEnumerable<NodeRoom> rooms, int mostPipelines) =>
        new PathGrowth(builder, rooms).GrowAll(mostPipelines);

    private List<Pipeline> GrowAll(int mostPipelines)
    {
        var found = new List<Pipeline>();
        for (var at = 0; at < _free.Count && found.Count < mostPipelines;)
        {
            var head = _free[at];
            _steps = StepsPerHead;
            _path.Clear();
            _path.Add(head);
            if (Extend(_costs.FurthestEnd(head, 0)) && _builder.Build(_path, _path) is { } pipeline)
            {
                found.Add(pipeline);
                _free.RemoveAll(_path.Contains);
            }
            else
            {
                at++;
            }
        }

        return found;
    }

    private bool Extend(int covered)
    {
        if (covered == _costs.Layers)
        {
            return _links.IsReachable(_path[^1].Index, _path[0].Index);
        }

        if (covered <= 0)
        {
            return false;
        }

        // The smallest that completes it first, then the largest of the others.
        var next = _free
            .Where(room => !_path.Contains(room) && _links.IsReachable(room.Index, _path[^1].Index))
            .Select(room => (Room: room, End: _costs.FurthestEnd(room, covered)))
            .Where(one => one.End > covered)
            .OrderByDescending(static one => one.End)
            .ThenBy(one => one.End == _costs.Layers ? _costs.Capacity(one.Room).Plain : 0)
            .ThenBy(one => _links.RoundTrip(one.Room.Index, _path[^1].Index))
            .ThenBy(static one => one.Room.Index)
            .ToList();
        foreach (var (room, end) in next)
        {
            if (_steps-- <= 0)
            {
                return false;
            }

            _path.Add(room);
            if (Extend(end))
            {
                return true;
            }

            _path.RemoveAt(_path.Count - 1);
        }

        return false;
    }
}
