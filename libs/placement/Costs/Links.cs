namespace Parallax.Placement.Costs;

/// <summary>Round trips and reachability between nodes, by their index.</summary>
internal sealed class Links
{
    private const int MatrixNodes = 1024;

    private readonly ClusterSnapshot _cluster;
    private readonly NodeRoom[] _rooms;
    private readonly double _unknown;
    private readonly double[]? _matrix; // a table of everything while it is small
    private readonly int[] _region;
    private readonly int[] _domain;
    private readonly HashSet<(int, int)> _unreachable = [];

    public Links(ClusterSnapshot cluster, NodeRoom[] rooms, double unknownMs)
    {
        _cluster = cluster;
        _rooms = rooms;
        _unknown = double.IsFinite(unknownMs) ? Math.Clamp(unknownMs, 0, 1e6) : 20;
        var index = rooms.ToDictionary(static room => room.Id, static room => room.Index, StringComparer.Ordinal);
        foreach (var (from, to) in cluster.Unreachable)
        {
            if (from is not null && to is not null && index.TryGetValue(from, out var i) && index.TryGetValue(to, out var j) && i != j)
            {
                _unreachable.Add((i, j));
                _unreachable.Add((j, i));
            }
        }

        _region = Number(rooms.Select(static room => room.Node.Region));
        _domain = Number(rooms.Select(static room => room.Node.FailureDomain));
        HasDistances = !cluster.RoundTrips.IsEmpty
            || _region.Distinct().Skip(1).Any()
            || _domain.Where(static domain => domain != 0).GroupBy(static domain => domain).Any(static nodes => nodes.Skip(1).Any());
        if (HasDistances && rooms.Length <= MatrixNodes)
        {
            _matrix = new double[rooms.Length * rooms.Length];
            for (var i = 0; i < rooms.Length; i++)
            {
                for (var j = 0; j < i; j++)
                {
                    _matrix[(i * rooms.Length) + j] = _matrix[(j * rooms.Length) + i] = Estimate(i, j);
                }
            }

            foreach (var (from, to) in cluster.RoundTrips.Keys)
            {
                if (from is not null && to is not null && index.TryGetValue(from, out var i) && index.TryGetValue(to, out var j) && i != j)
                {
                    _matrix[(i * rooms.Length) + j] = _matrix[(j * rooms.Length) + i] = Measured(i, j) ?? Estimate(i, j);
                }
            }
        }
    }

    /// <summary>Whether anything tells pairs apart.</summary>
    public bool HasDistances { get; }

    public bool HasUnreachable => _unreachable.Count > 0;

    public int UnreachablePairs => _unreachable.Count / 2;

    public bool IsReachable(int i, int j) => _unreachable.Count == 0 || !_unreachable.Contains((i, j));

    /// <summary>Milliseconds there and back; an estimate where nobody has measured.</summary>
    public double RoundTrip(int i, int j) =>
        i == j ? 0 : !HasDistances ? _unknown : _matrix is { } known ? known[(i * _rooms.Length) + j] : Measured(i, j) ?? Estimate(i, j);

    /// <summary>Names as numbers, alike for alike names; 0 for none.</summary>
    private static int[] Number(IEnumerable<string?> names)
    {
        var known = new Dictionary<string, int>(StringComparer.Ordinal) { [""] = 0 };
        return [.. names.Select(name =>
        {
            known.TryAdd(name ?? "", known.Count);
            return known[name ?? ""];
        })];
    }

    /// <summary>The mean of both directions, or the one that is known.</summary>
    private double? Measured(int i, int j)
    {
        if (_cluster.RoundTrips.IsEmpty)
        {
            return null;
        }

        var there = Known(_rooms[i].Id, _rooms[j].Id);
        var back = Known(_rooms[j].Id, _rooms[i].Id);
        return ((there ?? back) + (back ?? there)) / 2;
    }

    private double Estimate(int i, int j) =>
        _domain[i] != 0 && _domain[i] == _domain[j] ? 0 : _region[i] != 0 && _region[i] == _region[j] ? _unknown / 4 : _unknown;

    private double? Known(string from, string to) =>
        _cluster.RoundTrips.TryGetValue((from, to), out var ms) && ms >= 0 ? Math.Min(ms, 1e6) : null;
}
