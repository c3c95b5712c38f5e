using Parallax.Contracts.Identifiers;
using Parallax.Placement.Costs;
using Parallax.Placement.Pipelines;

namespace Parallax.Placement.Incremental;

/// <summary>
/// One pipeline out of nodes that hold pieces, and nodes that hold nothing, for which the fewest bytes are loaded: pieces
/// stay in the order of their layers and may grow, shrink or be left out; nodes that hold nothing stand where layers are
/// missing. A dynamic programme over (nodes so far, layers covered).
/// </summary>
internal sealed class CheapestPipeline
{
    /// <summary>Nodes looked at, at most: those that hold the most, then the largest.</summary>
    private const int MostNodes = 96;

    private const long MostWork = 20_000_000;

    private readonly ModelCosts _costs;

    private CheapestPipeline(ModelCosts costs) => _costs = costs;

    /// <summary>The pipeline, or null where none is found; then only planning from nothing can tell whether there is one.</summary>
    /// <param name="costs">The model.</param>
    /// <param name="links">Neighbours must reach each other.</param>
    /// <param name="rooms">Nodes that may be used, with what they hold.</param>
    public static Pipeline? Find(ModelCosts costs, Links links, IEnumerable<(NodeRoom Room, LayerRange? Held)> rooms)
    {
        var items = rooms
            .OrderByDescending(static one => one.Held?.Count ?? 0)
            .ThenByDescending(one => costs.Capacity(one.Room).Plain)
            .ThenBy(static one => one.Room.Index)
            .Take((int)Math.Clamp(MostWork / Math.Max(1, (long)costs.Layers * costs.Layers), 1, MostNodes))
            .ToList();
        if (items.All(static one => one.Held is null))
        {
            return null;
        }

        var search = new CheapestPipeline(costs);
        var gaps = search.Gaps(items);
        var ways = new List<Func<int, int>> { _ => gaps[0], free => gaps[free % gaps.Count], _ => gaps[^1] };
        Pipeline? best = null;
        var least = (Bytes: long.MaxValue, Stages: int.MaxValue);
        foreach (var way in ways.Take(gaps.Count == 1 ? 1 : ways.Count))
        {
            var free = 0;
            var sorted = items
                .Select(one => (one.Room, one.Held, Place: one.Held?.Start ?? way(free++)))
                .OrderBy(static one => one.Place)
                .ThenBy(static one => one.Held?.End ?? 0)
                .ToList();
            if (search.Solve(sorted) is var (stages, bytes) && (bytes, stages.Count).CompareTo((least.Bytes, least.Stages)) < 0
                && RingOrder.IsReachable(links, [.. stages.Select(static stage => stage.Room)]))
            {
                best = Pipeline.Of(costs, links, [.. stages]);
                least = (bytes, stages.Count);
            }
        }

        return best;
    }

    /// <summary>Where pieces that nobody holds begin; where all are held, the layer that the fewest hold.</summary>
    private List<int> Gaps(List<(NodeRoom Room, LayerRange? Held)> items)
    {
        var holders = new int[_costs.Layers];
        foreach (var held in items.Select(static one => one.Held).OfType<LayerRange>())
        {
            for (var layer = held.Start; layer < held.End; layer++)
            {
                holders[layer]++;
            }
        }

        var fewest = holders.Min();
        return [.. Enumerable.Range(0, holders.Length).Where(layer => holders[layer] == fewest && (layer == 0 || holders[layer - 1] != fewest))];
    }

    private (List<Stage> Stages, long Bytes)? Solve(List<(NodeRoom Room, LayerRange? Held, int Place)> items)
    {
        var layers = _costs.Layers;
        // least[i, p]: bytes and stages with which the first i nodes hold the layers before p; from: where the i-th begins.
        var least = new (long Bytes, int Stages)[items.Count + 1, layers + 1];
        var from = new int[items.Count + 1, layers + 1];
        for (var p = 1; p <= layers; p++)
        {
            least[0, p] = (long.MaxValue, int.MaxValue);
        }

        for (var i = 0; i < items.Count; i++)
        {
            var (room, held, _) = items[i];
            for (var p = 0; p <= layers; p++)
            {
                least[i + 1, p] = least[i, p];
                from[i + 1, p] = -1;
            }

            for (var start = 0; start < layers; start++)
            {
                if (least[i, start].Bytes == long.MaxValue)
                {
                    continue;
                }

                var furthest = _costs.FurthestEnd(room, start);
                for (var end = start + 1; end <= furthest; end++)
                {
                    var reached = (least[i, start].Bytes + _costs.LoadBytes(room, held, new LayerRange(start, end)), least[i, start].Stages + 1);
                    if (reached.CompareTo(least[i + 1, end]) < 0)
                    {
                        least[i + 1, end] = reached;
                        from[i + 1, end] = start;
                    }
                }
            }
        }

        if (least[items.Count, layers].Bytes == long.MaxValue)
        {
            return null;
        }

        var stages = new List<Stage>();
        for (var (i, end) = (items.Count, layers); end > 0; i--)
        {
            if (from[i, end] >= 0)
            {
                stages.Add(new Stage(items[i - 1].Room, new LayerRange(from[i, end], end)));
                end = from[i, end];
            }
        }

        stages.Reverse();
        return (stages, least[items.Count, layers].Bytes);
    }
}
