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
    private readonly long[] _largest; // layers of the largest i nodes, none counted beyond a whole model

    private HeuristicGrouping(BinFigures figures)
    {
        _figures = figures;
        _packing = new BinPacking(figures);
        _nodes = figures.Rooms.Length;
        _largest = new long[_nodes + 1];
        for (var i = 0; i < _nodes; i++)
        {
            _largest[i + 1] = _largest[i] + Math.Min(figures.Plain[i], figures.Layers);
        }
    }

    /// <summary>Pipelines as lists of places in <see cref="BinFigures.Rooms"/>; empty where none is complete.</summary>
    public static List<List<int>> Best(BinFigures figures, int mostPipelines) => new HeuristicGrouping(figures).Solve(mostPipelines);

    private List<List<int>> Solve(int mostPipelines)
    {
        var most = (int)Math.Min(Math.Min(_nodes, mostPipelines), _largest[_nodes] / Math.Max(1, _figures.Layers));
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
            (low, high) = _largest[middle] >= (long)pipelines * _figures.Layers ? (low, middle) : (middle + 1, high);
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
            step = most <= SmallPipelines ? 1 : Math.Min(step * 2, Math.Max(1, k / 2));
        }

        while (fails - works > 1)
        {
            var middle = (works + fails) / 2;
            (works, fails) = Try(middle, _nodes, ref best, ref score) ? (middle, fails) : (works, middle);
        }

        return works;
    }

    private const int SmallPipelines = 64;

    /// <summary>The fewest nodes for a number of pipelines; assumes that more nodes never make it harder.</summary>
    private void Fewest(int pipelines, int bound, ref List<List<int>> best, ref Score score)
    {
        var (fails, works) = (bound - 1, -1);
        for (var step = 1; works < 0; step *= 2)
        {
            var nodes = Math.Min(_nodes, fails + step);
            if (new Score(pipelines, nodes) <= score)
            {
                // Even with so many it would be no better.
                nodes = MostWorthwhile(pipelines, score);
                if (nodes <= fails)
                {
                    return;
                }
            }

            if (Try(pipelines, nodes, ref best, ref score))
            {
                works = nodes;
            }
            else if (nodes == _nodes || new Score(pipelines, nodes + 1) <= score)
            {
                return;
            }
            else
            {
                fails = nodes;
            }
        }

        while (works - fails > 1)
        {
            var middle = (works + fails) / 2;
            (works, fails) = Try(pipelines, middle, ref best, ref score) ? (middle, fails) : (works, middle);
        }
    }

    private static int MostWorthwhile(int pipelines, Score score)
    {
        var nodes = (int)Math.Min(int.MaxValue - 1, (long)pipelines * pipelines * score.Stages / Math.Max(1, (long)score.Pipelines * score.Pipelines));
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
        if (reached > score)
        {
            (best, score) = (packed, reached);
        }

        return true;
    }
}
