using Parallax.Contracts.Identifiers;

namespace Parallax.Router.Routing;

/// <summary>Says, for people, why <see cref="PathPolicy"/> finds no path. Pure.</summary>
internal static class PathProblem
{
    /// <summary>The reason; empty when nobody serves anything of the model.</summary>
    public static string Describe(string model, IReadOnlyList<PathCandidate> candidates)
    {
        var edges = PathEdge.Of(model, candidates).ToList();
        if (edges.Count == 0)
        {
            return "";
        }

        var layers = edges.Max(static edge => edge.Shard.LayerCount);
        var missing = Gaps(edges, layers);
        if (missing.Count > 0)
        {
            return $"Layers {string.Join(" and ", missing)} of '{model}' are served by no connected worker.";
        }

        var groups = edges.GroupBy(static edge => edge.Joint).ToList();
        var whole = groups.Find(group => group.Key.LayerCount == layers && Gaps(group, layers).Count == 0);
        return whole is null
            ? $"The layers of '{model}' are served in classes that cannot be joined: "
                + $"{string.Join("; ", groups.Select(static group => $"{group.Key.NumericClass.Fingerprint} {Ranges(group)}").Order(StringComparer.Ordinal))}."
            : $"The layer ranges of '{model}' that are served, {Ranges(whole)}, make no chain from 0 to {layers} over different workers.";
    }

    private static List<LayerRange> Gaps(IEnumerable<PathEdge> edges, int layers)
    {
        var gaps = new List<LayerRange>();
        var next = 0;
        foreach (var range in edges.Select(static edge => edge.Shard.Range).OrderBy(static range => range.Start))
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

    private static string Ranges(IEnumerable<PathEdge> edges) => string.Join(
        ' ', edges.Select(static edge => edge.Shard.Range).Distinct().OrderBy(static range => range.Start).ThenBy(static range => range.End));
}
