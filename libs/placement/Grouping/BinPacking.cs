using System.Runtime.InteropServices;

namespace Parallax.Placement.Grouping;

/// <summary>
/// Divides nodes into a given number of pipelines that all hold the model (bin covering): two constructions, each repaired
/// by exchanging nodes between a pipeline that lacks layers and one that has too many. Fast and good, not exact.
/// </summary>
internal sealed class BinPacking(BinFigures figures)
{
    private readonly List<List<int>> _bins = [];
    private readonly List<int> _slack = [];
    private readonly List<int> _unused = [];
    private readonly List<int> _found = [];
    private int _looks;

    /// <summary>Pipelines as lists of nodes (places in <see cref="BinFigures.Rooms"/>) that are all complete, or null.</summary>
    /// <param name="pipelines">How many.</param>
    /// <param name="nodes">Of the largest nodes, so many may be used.</param>
    public List<List<int>>? TryPack(int pipelines, int nodes)
    {
        FillWithLeastWaste(pipelines, nodes);
        if (Repair())
        {
            return Thin();
        }

        if (figures.Rooms.Length > SmallCluster)
        {
            return null; // the other construction rarely finds what this one does not
        }

        SpreadLargestFirst(pipelines, nodes);
        return Repair() ? Thin() : null;
    }

    /// <summary>One pipeline after the other: the largest node that is left, and with it those that waste the fewest layers.</summary>
    private void FillWithLeastWaste(int pipelines, int nodes)
    {
        Clear(pipelines);
        var left = new SizeClasses(figures, nodes);
        for (var bin = 0; bin < pipelines && left.Count > 0; bin++)
        {
            Put(bin, left.TakeLargest());
            if (_slack[bin] >= 0 || left.Count == 0)
            {
                continue;
            }

            // The ends lose some layers, how many depends on who is there.
            var missing = figures.Layers - figures.Plain[_bins[bin][0]];
            left.Prepare(missing + Tolerance + MostWaste);
            for (var sum = Math.Max(1, missing); sum <= missing + Tolerance + MostWaste; sum++)
            {
                if (left.TryFind(sum, _found))
                {
                    _bins[bin].AddRange(_found);
                    if (figures.Slack(CollectionsMarshal.AsSpan(_bins[bin])) >= 0)
                    {
                        left.Remove(_found);
                        break;
                    }

                    _bins[bin].RemoveRange(1, _found.Count);
                }
            }

            if (_bins[bin].Count > 1)
            {
                _slack[bin] = figures.Slack(CollectionsMarshal.AsSpan(_bins[bin]));
                continue;
            }

            while (_slack[bin] < 0 && left.Count > 0)
            {
                Put(bin, left.TakeLargest());
            }
        }

        left.CopyTo(_unused);
    }

    /// <summary>Each node, largest first, to the pipeline that lacks the most.</summary>
    private void SpreadLargestFirst(int pipelines, int nodes)
    {
        Clear(pipelines);
        var lacking = new PriorityQueue<int, (int Slack, int Bin)>();
        for (var bin = 0; bin < pipelines; bin++)
        {
            lacking.Enqueue(bin, (-figures.Layers, bin));
        }

        for (var node = 0; node < nodes; node++)
        {
            if (!lacking.TryDequeue(out var bin, out _))
            {
                _unused.Add(node);
                continue;
            }

            Put(bin, node);
            if (_slack[bin] < 0)
            {
                // A first node that would be short as the only one counts as what it brings to several.
                var slack = _bins[bin].Count == 1 ? figures.Plain[node] - figures.Layers : _slack[bin];
                lacking.Enqueue(bin, (slack, bin));
            }
        }
    }

    private int SmallestThatCompletes(int bin, List<int> left)
    {
        var members = _bins[bin];
        members.Add(left[0]);
        var (low, high) = (0, left.Count - 1);
        // Sorted by size; losses at the ends disturb the order by a layer or so, hence the test of the result below.
        while (low < high)
        {
            var middle = low + ((high - low + 1) / 2);
            members[^1] = left[middle];
            (low, high) = figures.Slack(CollectionsMarshal.AsSpan(members)) >= 0 ? (middle, high) : (low, middle - 1);
        }

        members[^1] = left[low];
        var completes = figures.Slack(CollectionsMarshal.AsSpan(members)) >= 0;
        members.RemoveAt(members.Count - 1);
        return completes ? low : 0;
    }

    private bool Repair()
    {
        _looks = figures.Rooms.Length <= SmallCluster ? LooksOfSmallCluster : LooksOfCluster + (LooksPerNode * figures.Rooms.Length);
        var budget = (2 * _bins.Count) + 16;
        if (_slack.Sum(static slack => (long)slack) + _unused.Sum(node => (long)figures.Plain[node]) < -(long)Tolerance * _bins.Count)
        {
            return false; // exchanges move layers about and make none
        }

        while (true)
        {
            // Looking through all pipelines for a partner is work too.
            _looks -= _bins.Count / 8;
            var worst = -1;
            for (var bin = 0; bin < _bins.Count; bin++)
            {
                if (_slack[bin] < 0 && (worst < 0 || _slack[bin] < _slack[worst]))
                {
                    worst = bin;
                }
            }

            if (worst < 0)
            {
                return true;
            }

            if (budget-- == 0 || _looks <= 0 || !(TakeUnused(worst) || MoveTo(worst) || Swap(worst) || SwapForTwo(worst)))
            {
                return false;
            }
        }
    }

    private bool TakeUnused(int bin)
    {
        if (_unused.Count == 0)
        {
            return false;
        }

        // The smallest that completes it, else the largest: unused nodes are sorted by size.
        var at = SmallestThatCompletes(bin, _unused);
        var before = _slack[bin];
        Put(bin, _unused[at]);
        if (_slack[bin] <= before)
        {
            _bins[bin].RemoveAt(_bins[bin].Count - 1);
            _slack[bin] = before;
            return false;
        }

        _unused.RemoveAt(at);
        return true;
    }

    private bool MoveTo(int bin)
    {
        for (var from = 0; from < _bins.Count; from++)
        {
            for (var at = 0; _slack[from] > 0 && at < _bins[from].Count; at++)
            {
                if (!IsRepeated(_bins[from], at) && figures.Plain[_bins[from][at]] <= _slack[from] + Tolerance && Exchange(bin, -1, -1, from, at))
                {
                    return true;
                }
            }
        }

        return false;
    }

    private bool Swap(int bin)
    {
        for (var from = 0; from < _bins.Count; from++)
        {
            if (from == bin || _slack[from] <= -Tolerance)
            {
                continue;
            }

            for (var at = 0; at < _bins[from].Count; at++)
            {
                if (IsRepeated(_bins[from], at))
                {
                    continue;
                }

                for (var own = 0; own < _bins[bin].Count; own++)
                {
                    if (figures.Kind[_bins[from][at]] == figures.Kind[_bins[bin][own]] || IsRepeated(_bins[bin], own))
                    {
                        continue;
                    }

                    var gain = figures.Plain[_bins[from][at]] - figures.Plain[_bins[bin][own]];
                    if (gain > -Tolerance && gain <= _slack[from] + Tolerance && Exchange(bin, own, -1, from, at))
                    {
                        return true;
                    }
                }
            }
        }

        return false;
    }

    /// <summary>Whether the member before is of the same kind, so that what holds for it holds here.</summary>
    private bool IsRepeated(List<int> members, int at) => at > 0 && figures.Kind[members[at]] == figures.Kind[members[at - 1]];

    /// <summary>Gives two nodes for one.</summary>
    private bool SwapForTwo(int bin)
    {
        if (_bins.Count > MostForTwo)
        {
            return false;
        }

        for (var from = 0; from < _bins.Count; from++)
        {
            for (var at = 0; from != bin && at < _bins[from].Count && _looks > 0; at++)
            {
                if (IsRepeated(_bins[from], at))
                {
                    continue;
                }

                for (var own = 1; own < _bins[bin].Count; own++)
                {
                    for (var second = 0; second < own; second++)
                    {
                        if (Exchange(bin, own, second, from, at))
                        {
                            return true;
                        }
                    }
                }
            }
        }

        return false;
    }

    /// <summary>Layers too many that a pipeline is made with before the largest nodes are taken instead.</summary>
    private const int MostWaste = 4;

    // Exchanges looked at in one repair: what keeps packing polynomial, in time as in name.
    private const int SmallCluster = 64;
    private const int LooksOfSmallCluster = 4000;
    private const int LooksOfCluster = 1000;
    private const int LooksPerNode = 4;
    private const int MostOnStack = 256;

    /// <summary>Above so many pipelines an exchange of two for one costs more than it brings.</summary>
    private const int MostForTwo = 64;

    /// <summary>By how many layers losses at the ends may change what an exchange brings.</summary>
    private int Tolerance { get; } = 2 * figures.HeadLoss.Concat(figures.TailLoss).Where(static loss => loss < 1 << 20).DefaultIfEmpty(0).Max();

    /// <summary>
    /// Exchanges members where that makes less missing in the two pipelines together: <paramref name="at"/> of
    /// <paramref name="from"/> against <paramref name="own"/> and <paramref name="second"/> (below own) of
    /// <paramref name="bin"/>; -1 stands for none.
    /// </summary>
    private bool Exchange(int bin, int own, int second, int from, int at)
    {
        if (_looks-- <= 0)
        {
            return false;
        }

        var (mine, theirs) = (_bins[bin], _bins[from]);
        var count = mine.Count + theirs.Count;
        Span<int> newMine = count <= MostOnStack ? stackalloc int[count] : new int[count];
        Span<int> newTheirs = count <= MostOnStack ? stackalloc int[count] : new int[count];
        var (m, t) = (0, 0);
        for (var i = 0; i < mine.Count; i++)
        {
            if (i == own || i == second)
            {
                newTheirs[t++] = mine[i];
            }
            else
            {
                newMine[m++] = mine[i];
            }
        }

        for (var i = 0; i < theirs.Count; i++)
        {
            if (i == at)
            {
                newMine[m++] = theirs[i];
            }
            else
            {
                newTheirs[t++] = theirs[i];
            }
        }

        var slackMine = figures.Slack(newMine[..m]);
        var slackTheirs = figures.Slack(newTheirs[..t]);
        if ((long)Math.Min(0, slackMine) + Math.Min(0, slackTheirs) <= (long)Math.Min(0, _slack[bin]) + Math.Min(0, _slack[from]))
        {
            return false;
        }

        (_bins[bin], _bins[from]) = ([.. newMine[..m]], [.. newTheirs[..t]]);
        (_slack[bin], _slack[from]) = (slackMine, slackTheirs);
        return true;
    }

    /// <summary>Takes out, smallest first, whom a pipeline does without.</summary>
    private List<List<int>> Thin()
    {
        foreach (var members in _bins)
        {
            members.Sort();
            for (var i = members.Count - 1; i >= 0 && members.Count > 1; i--)
            {
                var node = members[i];
                members.RemoveAt(i);
                if (figures.Slack(CollectionsMarshal.AsSpan(members)) < 0)
                {
                    members.Insert(i, node);
                }
            }
        }

        return [.. _bins.Select(static members => new List<int>(members))];
    }

    private void Clear(int pipelines)
    {
        _bins.Clear();
        _slack.Clear();
        _unused.Clear();
        for (var bin = 0; bin < pipelines; bin++)
        {
            _bins.Add([]);
            _slack.Add(-figures.Layers);
        }
    }

    private void Put(int bin, int node)
    {
        _bins[bin].Add(node);
        _slack[bin] = figures.Slack(CollectionsMarshal.AsSpan(_bins[bin]));
    }
}
