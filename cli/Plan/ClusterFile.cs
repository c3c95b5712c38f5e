using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Serialization;
using Parallax.Contracts.Identifiers;
using Parallax.Hosting;
using Parallax.Placement;

namespace Parallax.Cli.Plan;

/// <summary>A cluster described by hand in a JSON file; docs/placement.md says how.</summary>
/// <param name="Snapshot">The machines.</param>
/// <param name="Holds">What they hold already, by node; empty where nothing is said.</param>
internal sealed record ClusterFile(ClusterSnapshot Snapshot, ImmutableArray<(string Node, LayerRange Range)> Holds)
{
    private const long MostBytes = 64L << 20;

    /// <summary>Reads and checks a file.</summary>
    /// <exception cref="OptionsException">It cannot be read or makes no sense; everything wrong is named.</exception>
    public static ClusterFile Load(string path)
    {
        ClusterFileContent? content;
        try
        {
            if (new FileInfo(path) is { Exists: true, Length: > MostBytes })
            {
                throw new IOException($"it is larger than {MostBytes >> 20} MiB");
            }

            content = JsonSerializer.Deserialize(File.ReadAllBytes(path), ClusterFileJson.Default.ClusterFileContent);
        }
        catch (Exception e) when (e is JsonException or IOException or UnauthorizedAccessException or NotSupportedException)
        {
            throw new OptionsException([$"--cluster: '{path}' cannot be read as a cluster: {e.Message}"]);
        }

        if (content?.Nodes is not { Count: > 0 } nodes)
        {
            throw new OptionsException([$"--cluster: '{path}' names no nodes; it needs {{ \"nodes\": [ {{ \"id\": \"a\", \"memory_gib\": 24, \"tflops\": 80, \"bandwidth_gbps\": 1000 }} ] }}."]);
        }

        var errors = new List<string>();
        var parsed = new List<PlacementNode>();
        for (var i = 0; i < nodes.Count; i++)
        {
            parsed.AddRange(Node(nodes[i], string.IsNullOrEmpty(nodes[i]?.Id) ? $"node {i + 1}" : $"node '{nodes[i]!.Id}'", errors));
        }

        errors.AddRange(parsed.GroupBy(static node => node.Id).Where(static group => group.Count() > 1).Select(static group => $"node '{group.Key}' is named twice"));
        var known = nodes.Select(static node => node?.Id).ToHashSet();
        foreach (var id in (content.Rtts ?? []).SelectMany(static rtt => new[] { rtt?.From, rtt?.To })
            .Concat((content.Unreachable ?? []).SelectMany(static pair => pair ?? []))
            .Concat((content.Holds ?? []).Select(static one => one?.Node))
            .Where(id => !known.Contains(id)).Distinct())
        {
            errors.Add($"'{id}' is no node");
        }

        errors.AddRange((content.Rtts ?? []).Where(static rtt => rtt is not { Ms: >= 0 and < 1e6 }).Select(static rtt => $"the round trip from '{rtt?.From}' to '{rtt?.To}' needs \"ms\", 0 or more"));
        errors.AddRange((content.Unreachable ?? []).Where(static pair => pair is not [not null, not null]).Select(static _ => "\"unreachable\" holds pairs of ids, e.g. [\"a\", \"b\"]"));
        errors.AddRange((content.Holds ?? []).Where(static one => one?.Layers is not [>= 0, _] || one.Layers[1] <= one.Layers[0]).Select(static one => $"what '{one?.Node}' holds needs \"layers\": [start, end], end exclusive"));
        OptionsException.ThrowIfAny([.. errors.Select(error => $"--cluster: '{path}': {error}.")]);
        return new ClusterFile(
            new ClusterSnapshot(
                [.. parsed],
                (content.Rtts ?? []).GroupBy(static rtt => (rtt!.From!, rtt.To!)).ToImmutableDictionary(static group => group.Key, static group => group.Last()!.Ms!.Value),
                [.. (content.Unreachable ?? []).Select(static pair => (pair![0], pair[1]))]),
            [.. (content.Holds ?? []).Select(static one => (one!.Node!, new LayerRange(one.Layers![0], one.Layers[1])))]);
    }

    private static IEnumerable<PlacementNode> Node(ClusterFileNode? node, string name, List<string> errors)
    {
        var before = errors.Count;
        if (string.IsNullOrEmpty(node?.Id))
        {
            errors.Add($"{name}: \"id\" is missing");
        }

        if (node?.MemoryGib is not (>= 0 and < 1e9))
        {
            errors.Add($"{name}: \"memory_gib\" must be a number, 0 or more");
        }

        if (node?.Tflops is not (> 0 and < 1e9))
        {
            errors.Add($"{name}: \"tflops\" must be a number above 0");
        }

        if (node?.BandwidthGbps is not (> 0 and < 1e9))
        {
            errors.Add($"{name}: \"bandwidth_gbps\" must be a number above 0");
        }

        if (node?.WeightsGib is < 0 or >= 1e9)
        {
            errors.Add($"{name}: \"weights_gib\" must be a number, 0 or more");
        }

        return errors.Count > before || node is null
            ? []
            : [new PlacementNode(node.Id!, Bytes(node.MemoryGib!.Value), node.Tflops!.Value, node.BandwidthGbps!.Value)
            {
                WeightBytesLimit = node.WeightsGib is { } weights ? Bytes(weights) : null,
                Region = node.Region ?? "",
                FailureDomain = node.Domain ?? "",
                IsDraining = node.Draining,
            }];
    }

    private static long Bytes(double gib) => (long)(gib * (1L << 30));
}

internal sealed record ClusterFileContent(
    IReadOnlyList<ClusterFileNode?>? Nodes, IReadOnlyList<ClusterFileRtt?>? Rtts, IReadOnlyList<string[]?>? Unreachable, IReadOnlyList<ClusterFileHolding?>? Holds);

internal sealed record ClusterFileNode(
    string? Id, double? MemoryGib, double? WeightsGib, double? Tflops, double? BandwidthGbps, string? Region, string? Domain, bool Draining);

internal sealed record ClusterFileRtt(string? From, string? To, double? Ms);

internal sealed record ClusterFileHolding(string? Node, int[]? Layers);

[JsonSerializable(typeof(ClusterFileContent))]
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, ReadCommentHandling = JsonCommentHandling.Skip, AllowTrailingCommas = true, UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow)]
internal sealed partial class ClusterFileJson : JsonSerializerContext;
