using System.Text.Json;
using Parallax.Contracts.Identifiers;
using Parallax.Router.Routing;
using Parallax.Router.Sessions;
using Parallax.Runtime.Execution;

namespace Parallax.ReferenceTests.Routing;

/// <summary>One case of the reference's routing: its nodes as candidates, and the truth about paths by trying all layers.</summary>
internal sealed class RoutingCase
{
    /// <summary>The cases' own cost: a hop costs its round trip, there is none back, nothing is about as good as the best.</summary>
    public static readonly PathOptions Options = new() { RoundTripShare = 1, ClosingHopWeight = 0, NearShare = 0, KeepShare = 0 };

    private static readonly PathRequest Request = new();

    private readonly double?[][] _roundTrips;

    /// <param name="json">The case.</param>
    /// <param name="ranges">Layers by node, in place of the case's; null: the case's.</param>
    public RoutingCase(JsonElement json, LayerRange[]? ranges = null)
    {
        Id = json.GetProperty("id").GetString()!;
        Layers = json.GetProperty("model").GetProperty("num_layers").GetInt32();
        Result = json.GetProperty("result");
        Nodes = [.. json.GetProperty("nodes").EnumerateArray().Select((node, i) => new Node
        {
            Id = node.GetProperty("id").GetString()!,
            Range = ranges?[i] ?? new LayerRange(node.GetProperty("start").GetInt32(), node.GetProperty("end").GetInt32()),
            MsPerLayer = node.GetProperty("layer_latency_ms") is { ValueKind: JsonValueKind.Number } ms ? ms.GetDouble() : null,
            IsActive = node.GetProperty("is_active").GetBoolean(),
            IsStandby = node.GetProperty("state").GetString() != "active",
            Sessions = node.GetProperty("current_requests").GetInt32(),
            MaxSessions = node.GetProperty("max_requests").GetInt32(),
        })];
        _roundTrips = [.. json.GetProperty("rtt_ms").EnumerateArray().Select(static row =>
            row.EnumerateArray().Select(static ms => ms.ValueKind == JsonValueKind.Number ? ms.GetDouble() : (double?)null).ToArray())];
    }

    public string Id { get; }

    public int Layers { get; }

    public JsonElement Result { get; }

    public Node[] Nodes { get; }

    /// <summary>Our choice among the nodes as they are now.</summary>
    public PathChoice? Choose() => PathPolicy.Choose(PathMap.Build("model", Candidates(), Options), Request, Options);

    /// <summary>Stages' true times and round trips of a path; null where a round trip is unknown.</summary>
    public double? CostOf(IReadOnlyList<string> path)
    {
        var nodes = path.Select(id => Array.FindIndex(Nodes, node => node.Id == id)).ToArray();
        double? cost = nodes.Sum(i => Nodes[i].StageMs);
        for (var i = 1; i < nodes.Length; i++)
        {
            cost += RoundTrip(nodes[i - 1], nodes[i]);
        }

        return cost;
    }

    /// <summary>Whether any chain of usable nodes covers all layers, whatever it costs.</summary>
    public bool HasChain(Func<Node, bool> isUsable)
    {
        var reached = new HashSet<int> { 0 };
        foreach (var node in Nodes.Where(isUsable).OrderBy(static node => node.Range.Start))
        {
            if (node.Range.Count > 0 && reached.Contains(node.Range.Start))
            {
                reached.Add(node.Range.End);
            }
        }

        return reached.Contains(Layers);
    }

    private PathCandidate[] Candidates() => [.. Nodes.Select((node, i) =>
        new PathCandidate(node.Id, node.Id, node is { IsActive: true, IsStandby: false } ? [ToShard(node)] : [])
        {
            RoundTrips = Enumerable.Range(0, Nodes.Length)
                .Where(j => _roundTrips[i][j] is not null)
                .ToDictionary(j => Nodes[j].Id, j => _roundTrips[i][j]!.Value),
        })];

    private ShardCandidate ToShard(Node node) => new(new ShardOffer(
        "model", node.Range, Layers, new NumericClass(1, "00", ResidualPrecision.BF16, "reference"), int.MaxValue, node.MaxSessions, 1, ""))
    {
        Load = new StageLoad(node.Sessions),
        Speed = node.MsPerLayer is null ? StageSpeed.Unknown : StageSpeed.Unknown with { Steps = [new MeasuredStep(1 << 20, node.StageMs)] },
    };

    private double? RoundTrip(int from, int to) => _roundTrips[from][to] ?? _roundTrips[to][from];

    internal sealed class Node
    {
        public required string Id { get; init; }

        public required LayerRange Range { get; init; }

        public required double? MsPerLayer { get; init; }

        public required bool IsActive { get; set; }

        public required bool IsStandby { get; init; }

        public required int Sessions { get; set; }

        public required int MaxSessions { get; init; }

        public double StageMs => (MsPerLayer ?? 0) * Range.Count;

        public bool HasRoom => Sessions < MaxSessions;

        public bool IsUsable => IsActive && !IsStandby && HasRoom;
    }
}
