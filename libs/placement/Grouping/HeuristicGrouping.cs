namespace Parallax.Placement.Grouping;

/// <summary>
/// Many nodes: for each number of pipelines a bound on Z from the sum of the largest nodes, the most promising number
/// first, and for it the fewest nodes with which packing succeeds. Stops when no bound exceeds what is found.
/// </summary>
internal sealed class HeuristicGrouping
{
    private readonly BinFigures _figures;
    private readonly BinPacking _packing;
    private readonly int _nodes;
    private readonly long[] _largest; // layers of the largest i nodes, none counted beyond a whole model and its ends
    private readonly long[] _endLoss; // what i pipelines of several nodes lose at their ends at least
    private readonly int _alone;      // nodes that hold the model alone
    private readonly Dictionary<int, int> _works = []; // nodes with which so many pipelines were found

    private HeuristicGrouping(BinFigures figures)
    {
        _figures = figures;
        _packing = new BinPacking(figures);
        _nodes = figures.Rooms.Length;
        _largest = new long[_nodes + 1];
        for (var i = 0; i < _nodes; i++)
        {
            var ends = Math.Min((long)figures.HeadLoss[i] + figures.TailLoss[i], figures.Plain[i]);
            _largest[i + 1] = _largest[i] + Math.Min(figures.Plain[i], figures.Layers + ends);
            _alone += figures.Both[i] >= figures.Layers ? 1 : 0;
        }

        var (heads, tails) = ((int[])figures.HeadLoss.Clone(), (int[])figures.TailLoss.Clone());
        Array.Sort(heads);
        Array.Sort(tails);
        _endLoss = new long[_nodes + 1];
        for (var i = 0; i < _nodes; i++)
        {
            _endLoss[i + 1] = _endLoss[i] + heads[i] + tails[i];
        }
    }

    /// <summary>Layers that so many pipelines need at least, those included that are lost at their ends.</summary>
    private long Needed(int pipelines) => ((long)pipelines * _figures.Layers) + _endLoss[Math.Max(0, pipelines - _alone)];

    /// <summary>Pipelines as lists of places in <see cref="BinFigures.Rooms"/>; empty where none is complete.</summary>
    public static List<List<int>> Best(BinFigures figures, int mostPipelines) => new HeuristicGrouping(figures).Solve(mostPipelines);

    private List<List<int>> Solve(int mostPipelines)
    {
        var most = (int)Math.Min(Math.Min(_nodes, mostPipelines), _largest[_nodes] / Math.Max(1, _figures.Layers));
        while (most > 0 && Needed(most) > _largest[_nodes])
        {
            most--;
        }

        List<List<int>> best = [];
        var score = default(Score);
        var feasible = GreatestFeasible(most, ref best, ref score);
        var bounds = Enumerable.Range(1, feasible).Select(Bound).ToArray();
        Array.Sort(bounds, static (one, other) => other.CompareTo(one));
        foreach (var bound in bounds)
        {
            if (bound <= score)
            {
                break;
            }

            Fewest(bound.Pipelines, bound.Stages, ref best, ref score);
        }

        return best;
    }

    private Score Bound(int pipelines)
    {
        var (low, high) = (pipelines, _nodes);
        while (low < high)
        {
            var middle = (low + high) / 2;
            (low, high) = _largest[middle] >= Needed(pipelines) ? (low, middle) : (middle + 1, high);
        }

        return new Score(pipelines, low);
    }

    /// <summary>The greatest number of pipelines that packing finds with all nodes: steps down that double, then halves.</summary>
    private int GreatestFeasible(int most, ref List<List<int>> best, ref Score score)
    {
        var (fails, works, step) = (most + 1, 0, 1);
        for (var k = most; k >= 1; k -= step)
        {
            if (Try(k, _nodes, ref best, ref score))
            {
                works = k;
                break;
            }

            fails = k;
            step = most <= SmallCluster ? 1 : Math.Min(step * 2, Math.Max(1, k / 2));
        }

        while (fails - works > 1)
        {
            var middle = (works + fails) / 2;
            (works, fails) = Try(middle, _nodes, ref best, ref score) ? (middle, fails) : (works, middle);
        }

        return works;
    }

    private const int SmallCluster = 64;

    /// <summary>
    /// The fewest nodes for a number of pipelines: on small clusters one after the other from the bound up, on large ones by
    /// halves, as if more nodes never made it harder.
    /// </summary>
    private void Fewest(int pipelines, int bound, ref List<List<int>> best, ref Score score)
    {
        // More nodes than this would not be better than what is there.
        var most = Math.Min(_nodes, MostWorthwhile(pipelines, score));
        if (_works.GetValueOrDefault(pipelines, int.MaxValue) > most && (most < bound || !Try(pipelines, most, ref best, ref score)))
        {
            return;
        }

        if (_nodes <= SmallCluster)
        {
            for (var nodes = bound; nodes < _works[pipelines] && !Try(pipelines, nodes, ref best, ref score); nodes++)
            {
            }

            return;
        }

        for (var fails = bound - 1; _works[pipelines] - fails > 1;)
        {
            var middle = (_works[pipelines] + fails) / 2;
            if (!Try(pipelines, middle, ref best, ref score))
            {
                fails = middle;
            }
        }
    }

    /// <summary>The most nodes with which so many pipelines are better than a score.</summary>
    private static int MostWorthwhile(int pipelines, Score score)
    {
        if (score.Pipelines == 0)
        {
            return int.MaxValue;
        }

        var nodes = (int)Math.Min(int.MaxValue - 1L, ((long)pipelines * pipelines * score.Stages / ((long)score.Pipelines * score.Pipelines)) + 1);
        while (nodes > 0 && new Score(pipelines, nodes) <= score)
        {
            nodes--;
        }

        return nodes;
    }

    private bool Try(int pipelines, int nodes, ref List<List<int>> best, ref Score score)
    {
        if (_packing.TryPack(pipelines, nodes) is not { } packed)
        {
            return false;
        }

        var reached = new Score(pipelines, packed.Sum(static members => members.Count));
        _works[pipelines] = Math.Min(_works.GetValueOrDefault(pipelines, int.MaxValue), reached.Stages);
        if (reached > score)
        {
            (best, score) = (packed, reached);
        }

        return true;
    }
}
