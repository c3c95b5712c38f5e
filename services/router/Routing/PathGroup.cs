using System.Collections.Immutable;

namespace Parallax.Router.Routing;

/// <summary>
/// Shards that may be joined with each other, ordered by their first layer and then by id, and what the hops between
/// them cost. Immutable.
/// </summary>
internal sealed class PathGroup
{
    private readonly Hop[] _successors; // by node: its followers are neighbours in the order
    private readonly long[] _edges;     // hop costs, node by node
    private readonly int[] _tails;      // by node: its number among the tails, or -1
    private readonly long[] _closing;   // [head, tail]
    private readonly long[] _leastClosing; // by head
    private readonly Dictionary<ShardKey, int> _indices = [];

    public PathGroup(PathNode[] nodes, int firstNode, int layerCount, PathOptions options)
    {
        Nodes = [.. nodes];
        FirstNode = firstNode;
        LayerCount = layerCount;
        _successors = new Hop[nodes.Length];
        _tails = new int[nodes.Length];
        Workers = new int[nodes.Length];
        var workers = new Dictionary<string, int>(StringComparer.Ordinal);
        var starts = new Dictionary<int, (int First, int Count)>();
        var tails = new List<int>();
        for (var i = 0; i < nodes.Length; i++)
        {
            if (!workers.TryGetValue(nodes[i].WorkerId, out var worker))
            {
                workers.Add(nodes[i].WorkerId, worker = workers.Count);
            }

            Workers[i] = worker;
            var range = nodes[i].Offer.Range;
            starts[range.Start] = starts.TryGetValue(range.Start, out var run) ? (run.First, run.Count + 1) : (i, 1);
            _tails[i] = -1;
            if (range.End == layerCount)
            {
                _tails[i] = tails.Count;
                tails.Add(i);
            }

            _indices.TryAdd(nodes[i].Key, i);
        }

        HasRepeatedWorkers = workers.Count < nodes.Length;
        HeadCount = starts.GetValueOrDefault(0).Count;
        TailCount = tails.Count;
        var edges = 0;
        for (var i = 0; i < nodes.Length; i++)
        {
            var (first, count) = starts.GetValueOrDefault(nodes[i].Offer.Range.End);
            _successors[i] = new Hop(first, count, edges);
            edges += count;
        }

        HasSpeeds = options.Rule is PathRule.Cheapest && Array.Exists(nodes, static node => node.Shard.Speed.StepMs(1) is not null);
        RestoreMsPerLayer = nodes.Max(static node => node.Shard.Speed.RestoreMsPerToken / node.Offer.Range.Count);
        UnknownMsPerLayer = HasSpeeds ? nodes.Max(static node => (node.Shard.Speed.StepMs(1) ?? 0) / node.Offer.Range.Count) : 0;
        _edges = new long[edges];
        _closing = new long[HeadCount * tails.Count];
        FillHops(tails, options);
        _leastClosing = new long[HeadCount];
        for (var head = 0; head < HeadCount; head++)
        {
            _leastClosing[head] = tails.Count == 0 ? CostUnit.Infinite : _closing.AsSpan(head * tails.Count, tails.Count).ToArray().Min();
        }
    }

    /// <summary>The shards, by first layer, then by worker id, then by shard id.</summary>
    public ImmutableArray<PathNode> Nodes { get; }

    /// <summary>Index of the first of <see cref="Nodes"/> among the whole map's.</summary>
    public int FirstNode { get; }

    public int LayerCount { get; }

    /// <summary>Shards with layer 0: the first ones.</summary>
    public int HeadCount { get; }

    /// <summary>Shards with the last layer.</summary>
    public int TailCount { get; }

    /// <summary>By node, a number that stands for its worker.</summary>
    public int[] Workers { get; }

    /// <summary>Whether a path might lead over a worker twice.</summary>
    public bool HasRepeatedWorkers { get; }

    /// <summary>Whether paths go by speeds: any shard's is known, and no other rule is asked for. Else they go by stages and load.</summary>
    public bool HasSpeeds { get; }

    /// <summary>The slowest known time of a token's layer that comes from the KV cache: the assumption for shards that have not measured it; 0: nobody has.</summary>
    public double RestoreMsPerLayer { get; }

    /// <summary>The slowest known time of a layer: the assumption for shards of which nothing is known.</summary>
    public double UnknownMsPerLayer { get; }

    /// <summary>The nodes that may follow one: where they begin, and the costs of the hops to them.</summary>
    public ReadOnlySpan<long> Hops(int node, out int firstSuccessor)
    {
        var (first, count, offset) = _successors[node];
        firstSuccessor = first;
        return _edges.AsSpan(offset, count);
    }

    public bool IsTail(int node) => _tails[node] >= 0;

    /// <summary>The least that the hop back to a head costs, from whichever tail.</summary>
    public long LeastClosing(int head) => _leastClosing[head];

    /// <summary>The hop from a tail back to a head.</summary>
    public long Closing(int head, int tail) => _closing[(head * TailCount) + _tails[tail]];

    /// <summary>Milliseconds of a prompt's token that comes to a node from the KV cache; 0: nobody has measured any.</summary>
    public double RestoreMs(int node) =>
        Nodes[node].Shard.Speed.RestoreMsPerToken is > 0 and var own ? own : RestoreMsPerLayer * Nodes[node].Offer.Range.Count;

    /// <summary>The node of a shard; negative when there is none.</summary>
    public int Find(ShardKey key) => _indices.GetValueOrDefault(key, -1);

    private void FillHops(List<int> tails, PathOptions options)
    {
        var pairs = new double[_edges.Length]; // NaN: unknown; infinite: no neighbours
        var closing = new double[_closing.Length];
        var known = new List<double>();
        for (var i = 0; i < Nodes.Length; i++)
        {
            var (first, count, offset) = _successors[i];
            for (var j = 0; j < count; j++)
            {
                pairs[offset + j] = Note(RoundTrip(i, first + j));
            }
        }

        for (var head = 0; head < HeadCount; head++)
        {
            for (var tail = 0; tail < tails.Count; tail++)
            {
                closing[(head * tails.Count) + tail] = tails[tail] == head ? 0 : Note(RoundTrip(tails[tail], head));
            }
        }

        // The median of what is known is a fair guess of what is not.
        known.Sort();
        var assumed = (known.Count > 0 ? known[known.Count / 2] : options.UnknownRoundTripMs) * options.UnknownRoundTripPenalty;
        Convert(pairs, _edges, 1);
        Convert(closing, _closing, options.ClosingHopWeight);

        double Note(double roundTrip)
        {
            if (double.IsFinite(roundTrip))
            {
                known.Add(roundTrip);
            }

            return roundTrip;
        }

        void Convert(double[] roundTrips, long[] costs, double weight)
        {
            for (var i = 0; i < costs.Length; i++)
            {
                // Without speeds, hops are no measure either: only whether there is a way.
                costs[i] = double.IsPositiveInfinity(roundTrips[i]) ? CostUnit.Infinite
                    : !HasSpeeds ? 0
                    : CostUnit.FromMs((double.IsNaN(roundTrips[i]) ? assumed : roundTrips[i]) * options.RoundTripShare * weight);
            }
        }
    }

    private double RoundTrip(int from, int to)
    {
        var (a, b) = (Nodes[from].Worker, Nodes[to].Worker);
        return Workers[from] == Workers[to] || a.Unreachable.Contains(b.WorkerId) || b.Unreachable.Contains(a.WorkerId) ? double.PositiveInfinity
            : a.RoundTrips.TryGetValue(b.WorkerId, out var there) ? there
            : b.RoundTrips.TryGetValue(a.WorkerId, out var back) ? back
            : double.NaN;
    }

    private readonly record struct Hop(int First, int Count, int Offset);
}
