namespace Parallax.Placement.Costs;

/// <summary>Round trips and reachability between nodes, by their index.</summary>
internal sealed class Links
{
    private const int MatrixNodes = 1024;

    private readonly ClusterSnapshot _cluster;
    private readonly NodeRoom[] _rooms;
    private readonly double _unknown;
    private readonly double[]? _matrix; // a table of everything while it is small
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

        HasDistances = !cluster.RoundTrips.IsEmpty
            || rooms.Select(static room => room.Node.Region ?? "").Distinct(StringComparer.Ordinal).Skip(1).Any()
            || Domains(rooms);
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

    private static bool Domains(NodeRoom[] rooms)
    {
        var seen = new HashSet<string>(StringComparer.Ordinal);
        return rooms.Any(room => !string.IsNullOrEmpty(room.Node.FailureDomain) && !seen.Add(room.Node.FailureDomain));
    }

    private static bool IsAlike(string? one, string? other) => !string.IsNullOrEmpty(one) && string.Equals(one, other, StringComparison.Ordinal);

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

    private double Estimate(int i, int j)
    {
        var (one, other) = (_rooms[i].Node, _rooms[j].Node);
        return IsAlike(one.FailureDomain, other.FailureDomain) ? 0 : IsAlike(one.Region, other.Region) ? _unknown / 4 : _unknown;
    }

    private double? Known(string from, string to) =>
        _cluster.RoundTrips.TryGetValue((from, to), out var ms) && ms >= 0 ? Math.Min(ms, 1e6) : null;
}
