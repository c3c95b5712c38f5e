using System.Collections.Immutable;
using Parallax.Contracts.Identifiers;

namespace Parallax.Router.Routing;

/// <summary>Says, for people, why <see cref="PathPolicy"/> finds no path. Pure.</summary>
internal static class PathProblem
{
    /// <summary>Shards that are named at most.</summary>
    private const int MaxNamed = 8;

    /// <summary>The reason why there is no path at all; empty when nobody serves anything of the model.</summary>
    public static string Describe(PathMap map)
    {
        var nodes = Serving(map.Nodes);
        if (nodes.IsEmpty)
        {
            return "";
        }

        var layers = nodes.Max(static node => node.Offer.LayerCount);
        var missing = Gaps(nodes, layers);
        if (missing.Count > 0)
        {
            return $"Layers {string.Join(" and ", missing)} of '{map.Model}' are served by no connected worker.";
        }

        var whole = map.Groups.FirstOrDefault(group => group.LayerCount == layers && Gaps(Serving(group.Nodes), layers).Count == 0);
        return whole is null
            ? $"The layers of '{map.Model}' are served in classes that cannot be joined: "
                + $"{string.Join("; ", map.Groups.Select(static group => $"{group.Nodes[0].Offer.NumericClass.Fingerprint} {Ranges(group.Nodes)}").Order(StringComparer.Ordinal))}."
            : $"The layer ranges of '{map.Model}' that are served, {Ranges(whole.Nodes)}, make no chain from 0 to {layers} over different workers "
                + "that can reach each other.";
    }

    /// <summary>Which shards are in the way of a request for which there is a path but no room on it.</summary>
    public static string DescribeFull(PathMap map, ReadOnlySpan<StageLoad> loads, PathRequest request)
    {
        var full = new List<string>();
        for (var i = 0; i < Math.Min(map.Nodes.Length, loads.Length); i++)
        {
            var (node, load) = (map.Nodes[i], loads[i]);
            if (StageCost.Fits(node.Offer, request) && !StageCost.HasRoom(node.Offer, load, request))
            {
                full.Add(load.Sessions + request.Sessions > node.Offer.MaxSessions
                    ? $"{node.Worker.Address} {node.Offer.Range}: {load.Sessions} of {node.Offer.MaxSessions} sessions"
                    : $"{node.Worker.Address} {node.Offer.Range}: {load.KvTokensFree} KV positions free, {request.KvTokens} needed");
            }
        }

        return full.Count == 0
            ? $"No path of '{map.Model}' takes {request.Sessions} sessions of {request.PromptTokens} prompt tokens and an answer of {request.MaxTokens}."
            : $"All paths of '{map.Model}' are full: {string.Join("; ", full.Take(MaxNamed))}{(full.Count > MaxNamed ? $"; and {full.Count - MaxNamed} more" : "")}.";
    }

    /// <summary>Without those that are about to go: to whoever asks anew they serve nothing.</summary>
    private static ImmutableArray<PathNode> Serving(ImmutableArray<PathNode> nodes) => nodes.RemoveAll(static node => node.Offer.IsEnding);

    private static List<LayerRange> Gaps(IEnumerable<PathNode> nodes, int layers)
    {
        var gaps = new List<LayerRange>();
        var next = 0;
        foreach (var range in nodes.Select(static node => node.Offer.Range).OrderBy(static range => range.Start))
        {
            if (range.Start > next)
            {
                gaps.Add(new LayerRange(next, range.Start));
            }

            next = Math.Max(next, range.End);
        }

        if (next < layers)
        {
            gaps.Add(new LayerRange(next, layers));
        }

        return gaps;
    }

    private static string Ranges(IEnumerable<PathNode> nodes) => string.Join(
        ' ', nodes.Select(static node => node.Offer.Range).Distinct().OrderBy(static range => range.Start).ThenBy(static range => range.End));
}
