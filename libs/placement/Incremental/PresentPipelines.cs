using Parallax.Contracts.Identifiers;
using Parallax.Placement.Costs;
using Parallax.Placement.Grouping;
using Parallax.Placement.Pipelines;
using Parallax.Placement.Planning;

namespace Parallax.Placement.Incremental;

/// <summary>
/// The full pipelines that are there, out of ranges that follow one another. They are a flow from layer 0 to the last, in
/// which a range is an edge and its holders are the edge's capacity; who stands beside whom is then chosen by round trips.
/// </summary>
internal sealed class PresentPipelines
{
    private const int StepsPerPipeline = 4000;

    // Where not everybody reaches everybody: holdings up to which all pipelines are searched for together, and how long.
    private const int MostSearched = 128;
    private const int StepsTogether = 20_000;

    private readonly ModelCosts _costs;
    private readonly Links _links;
    private readonly SortedDictionary<(int Start, int End), List<NodeRoom>> _holders = [];
    private readonly Dictionary<(int Start, int End), int> _flow = [];
    private readonly HashSet<NodeRoom> _used = [];
    private readonly List<Stage> _path = [];
    private readonly List<Stage[]> _complete = [];
    private List<Stage[]> _best = [];
    private int _total;
    private int _steps;

    private PresentPipelines(ModelCosts costs, Links links, IEnumerable<Stage> held)
    {
        (_costs, _links) = (costs, links);
        foreach (var (room, range) in held)
        {
            if (!_holders.TryGetValue((range.Start, range.End), out var holders))
            {
                _holders.Add((range.Start, range.End), holders = []);
            }

            holders.Add(room);
        }
    }

    /// <summary>The pipelines, each node in one at most; of several numbers of them the one with the greatest Z.</summary>
    /// <param name="costs">The model.</param>
    /// <param name="links">Neighbours must reach each other.</param>
    /// <param name="held">Who holds what.</param>
    /// <param name="most">At most so many; the shortest stay.</param>
    public static List<Pipeline> Find(ModelCosts costs, Links links, IEnumerable<Stage> held, int most)
    {
        if (costs.Layers == 0 || most < 1)
        {
            return [];
        }

        var search = new PresentPipelines(costs, links, held);
        var best = search.Fill(most).Max();
        search.Fill(best.Pipelines);
        return ModelPlanner.Improve([], search.Pair()
            .OrderBy(static pipeline => pipeline.Stages.Length)
            .ThenBy(static pipeline => pipeline.LatencyMs)
            .ThenBy(static pipeline => pipeline.Head.Index)
            .Take(most));
    }

    /// <summary>
    /// Shortest ways through what is left, each as wide as it is, so that for as many pipelines as there are the stages are
    /// the fewest (a minimum-cost flow by successive shortest paths, after Bellman and Ford). What is reached after each way.
    /// </summary>
    private List<Score> Fill(int most)
    {
        foreach (var range in _holders.Keys)
        {
            _flow[range] = 0;
        }

        var reached = new List<Score> { default };
        while (reached[^1].Pipelines < most && FindWay() is { } way)
        {
            var width = Math.Min(
                most - reached[^1].Pipelines,
                way.Min(step => step.Forward ? _holders[step.Range].Count - _flow[step.Range] : _flow[step.Range]));
            foreach (var (range, forward) in way)
            {
                _flow[range] += forward ? width : -width;
            }

            var stages = way.Sum(static step => step.Forward ? 1 : -1);
            reached.Add(new Score(reached[^1].Pipelines + width, reached[^1].Stages + (width * stages)));
        }

        return reached;
    }

    private List<((int Start, int End) Range, bool Forward)>? FindWay()
    {
        // Undoing a stage counts as one stage less, so distances may be negative; nothing is gained by going round twice.
        var distance = new Dictionary<int, int> { [0] = 0 };
        var from = new Dictionary<int, ((int Start, int End) Range, bool Forward)>();
        for (var changed = true; changed;)
        {
            changed = false;
            foreach (var (range, holders) in _holders)
            {
                changed |= _flow[range] < holders.Count && Reach(range.Start, range.End, 1, (range, true));
                changed |= _flow[range] > 0 && Reach(range.End, range.Start, -1, (range, false));
            }
        }

        if (!from.ContainsKey(_costs.Layers))
        {
            return null;
        }

        var way = new List<((int Start, int End), bool)>();
        for (var at = _costs.Layers; at != 0;)
        {
            var step = from[at];
            way.Add(step);
            at = step.Forward ? step.Range.Start : step.Range.End;
        }

        return way;

        bool Reach(int start, int end, int stages, ((int Start, int End) Range, bool Forward) step)
        {
            if (!distance.TryGetValue(start, out var before) || (distance.TryGetValue(end, out var known) && known <= before + stages))
            {
                return false;
            }

            distance[end] = before + stages;
            from[end] = step;
            return true;
        }
    }

    private List<Pipeline> Pair()
    {
        if (_links.HasUnreachable && _holders.Values.Sum(static holders => holders.Count) <= MostSearched)
        {
            _steps = StepsTogether;
            _total = _flow.Where(static one => one.Key.Start == 0).Sum(static one => one.Value);
            WalkTogether(0);
            return [.. _best.Select(path => Pipeline.Of(_costs, _links, [.. path]))];
        }

        var pipelines = new List<Pipeline>();
        while (true)
        {
            _path.Clear();
            _steps = StepsPerPipeline;
            if (!Walk(0))
            {
                return pipelines;
            }

            foreach (var (room, range) in _path)
            {
                _flow[(range.Start, range.End)]--;
                _holders[(range.Start, range.End)].Remove(room);
            }

            pipelines.Add(Pipeline.Of(_costs, _links, [.. _path]));
        }
    }

    /// <summary>
    /// All pipelines together, where who pairs with whom in one decides what is left for the others: back into earlier ones
    /// where a later one cannot be completed. The most that were complete at once stand.
    /// </summary>
    private bool WalkTogether(int at)
    {
        if (at == _costs.Layers)
        {
            if (_path.Count > 1 && !_links.IsReachable(_path[^1].Room.Index, _path[0].Room.Index))
            {
                return false;
            }

            _complete.Add([.. _path]);
            if (_complete.Count > _best.Count)
            {
                _best = [.. _complete];
            }

            var path = _path.ToArray();
            _path.Clear();
            if (_complete.Count == _total || WalkTogether(0))
            {
                return true;
            }

            _path.AddRange(path);
            _complete.RemoveAt(_complete.Count - 1);
            return false;
        }

        // Ranges of the flow first; others may do where these cannot be paired.
        foreach (var (range, holders) in _holders.Where(one => one.Key.Start == at).OrderByDescending(one => _flow[one.Key]))
        {
            var before = _path.Count > 0 ? _path[^1].Room.Index : -1;
            foreach (var room in Candidates(holders, before).ToList())
            {
                if (_steps-- <= 0)
                {
                    return false;
                }

                _path.Add(new Stage(room, new LayerRange(range.Start, range.End)));
                _used.Add(room);
                _flow[range]--;
                if (WalkTogether(range.End))
                {
                    return true;
                }

                _flow[range]++;
                _path.RemoveAt(_path.Count - 1);
                _used.Remove(room);
            }
        }

        return false;
    }

    /// <summary>Holders that no pipeline has yet, nearest first; the nearest alone is searched for before all are sorted.</summary>
    private IEnumerable<NodeRoom> Candidates(List<NodeRoom> holders, int before)
    {
        var open = holders.Where(room => !_used.Contains(room) && (before < 0 || _links.IsReachable(before, room.Index)));
        if (before < 0 || !_links.HasDistances)
        {
            foreach (var room in open)
            {
                yield return room;
            }

            yield break;
        }

        var nearest = open.MinBy(room => (_links.RoundTrip(before, room.Index), room.Index));
        if (nearest is null)
        {
            yield break;
        }

        yield return nearest;
        foreach (var room in open.Where(room => room != nearest).OrderBy(room => _links.RoundTrip(before, room.Index)).ThenBy(static room => room.Index).ToList())
        {
            yield return room;
        }
    }

    /// <summary>Goes on along ranges that carry flow, to the nearest holder first; back where the ring cannot be closed.</summary>
    private bool Walk(int at)
    {
        if (at == _costs.Layers)
        {
            return _path.Count == 1 || _links.IsReachable(_path[^1].Room.Index, _path[0].Room.Index);
        }

        foreach (var (range, holders) in _holders)
        {
            if (range.Start != at || _flow[range] <= 0)
            {
                continue;
            }

            var before = _path.Count > 0 ? _path[^1].Room.Index : -1;
            foreach (var room in Candidates(holders, before))
            {
                if (_steps-- <= 0)
                {
                    return false;
                }

                _path.Add(new Stage(room, new LayerRange(range.Start, range.End)));
                _used.Add(room);
                if (Walk(range.End))
                {
                    return true;
                }

                _path.RemoveAt(_path.Count - 1);
                _used.Remove(room);
            }
        }

        return false;
    }
}
