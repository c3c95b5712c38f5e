namespace Parallax.Placement.Grouping;

/// <summary>
/// Nodes that are left, by size; finds the fewest that together have a given number of layers (a bounded knapsack over the
/// sizes, of which there are few: a size is a whole number of layers).
/// </summary>
internal sealed class SizeClasses
{
    private const int Never = int.MaxValue / 2;

    private readonly List<(int Size, Stack<int> Nodes)> _classes = []; // largest first
    private int[] _fewest = [];   // by sum: nodes, with the classes looked at so far
    private int[,] _taken = new int[0, 0]; // by class and sum: how many of it

    /// <param name="figures">Sizes.</param>
    /// <param name="nodes">Of the largest nodes, so many.</param>
    public SizeClasses(BinFigures figures, int nodes)
    {
        for (var node = nodes - 1; node >= 0; node--)
        {
            var size = figures.Plain[node];
            if (_classes.Count == 0 || _classes[^1].Size != size)
            {
                _classes.Add((size, new Stack<int>()));
            }

            // The first node of a size, which loses the least as an end, is taken first.
            _classes[^1].Nodes.Push(node);
        }

        _classes.Reverse();
        Count = nodes;
    }

    /// <summary>Nodes left.</summary>
    public int Count { get; private set; }

    public int TakeLargest()
    {
        while (_classes[0].Nodes.Count == 0)
        {
            _classes.RemoveAt(0);
        }

        Count--;
        return _classes[0].Nodes.Pop();
    }

    /// <summary>Makes ready for sums up to a number.</summary>
    public void Prepare(int most)
    {
        _classes.RemoveAll(static one => one.Nodes.Count == 0);
        if (_fewest.Length <= most || _taken.GetLength(0) < _classes.Count)
        {
            _fewest = new int[Math.Max(most + 1, _fewest.Length)];
            _taken = new int[_classes.Count, _fewest.Length];
        }

        Array.Fill(_fewest, Never);
        _fewest[0] = 0;
        for (var i = 0; i < _classes.Count; i++)
        {
            var (size, nodes) = _classes[i];
            for (var sum = most; sum >= 0; sum--)
            {
                var (best, count) = (_fewest[sum], 0);
                if (size > 0)
                {
                    for (var (n, rest) = (1, sum - size); n <= nodes.Count && rest >= 0; n++, rest -= size)
                    {
                        if (_fewest[rest] + n < best)
                        {
                            (best, count) = (_fewest[rest] + n, n);
                        }
                    }
                }

                _fewest[sum] = best;
                _taken[i, sum] = count;
            }
        }
    }

    /// <summary>The fewest nodes with exactly that many layers; they stay where they are.</summary>
    public bool TryFind(int sum, List<int> nodes)
    {
        nodes.Clear();
        if (_fewest[sum] >= Never)
        {
            return false;
        }

        for (var i = _classes.Count - 1; i >= 0; i--)
        {
            var count = _taken[i, sum];
            nodes.AddRange(_classes[i].Nodes.Take(count));
            sum -= count * _classes[i].Size;
        }

        return true;
    }

    /// <summary>Takes what was found.</summary>
    public void Remove(List<int> found)
    {
        foreach (var (_, nodes) in _classes)
        {
            while (nodes.TryPeek(out var node) && found.Contains(node))
            {
                nodes.Pop();
            }
        }

        Count -= found.Count;
    }

    /// <summary>Adds all that are left, largest first.</summary>
    public void CopyTo(List<int> nodes) => nodes.AddRange(_classes.SelectMany(static one => one.Nodes));
}
