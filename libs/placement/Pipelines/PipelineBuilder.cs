using Parallax.Placement.Costs;

namespace Parallax.Placement.Pipelines;

/// <summary>Makes a pipeline of given nodes: who is head, who is tail, in which order the others, and where the layers are cut.</summary>
internal sealed class PipelineBuilder(ModelCosts costs, Links links)
{
    private const int EndCandidates = 3;

    public ModelCosts Costs { get; } = costs;

    public Links Links { get; } = links;

    /// <summary>The pipeline of least latency that uses all these nodes, or null.</summary>
    /// <param name="members">In any order; the answer does not depend on it.</param>
    /// <param name="known">An order that is known to work, for where the usual ends do not; or null.</param>
    public Pipeline? Build(IReadOnlyList<NodeRoom> members, IReadOnlyList<NodeRoom>? known = null)
    {
        var sorted = members.OrderBy(static room => room.Index).ToArray();
        if (sorted.Length < 2)
        {
            return sorted.Length == 1 ? Try(sorted) : null;
        }

        Pipeline? best = null;
        var heads = Ends(sorted, static capacity => (capacity.WithEmbedding, capacity.Plain));
        var tails = Ends(sorted, static capacity => (capacity.WithHead, capacity.Plain));
        foreach (var head in heads)
        {
            foreach (var tail in tails)
            {
                if (head != tail && Links.IsReachable(head.Index, tail.Index))
                {
                    NodeRoom[] order = [head, .. sorted.Where(room => room != head && room != tail), tail];
                    RingOrder.Arrange(Links, order);
                    best = Better(best, Try(order));
                }
            }
        }

        return best ?? (known is null ? null : Try([.. known]));
    }

    /// <summary>The pipeline of nodes in a given order, or null.</summary>
    public Pipeline? Try(NodeRoom[] order) =>
        RingOrder.IsReachable(Links, order) && WaterFilling.Fill(Costs, order) is { } ends ? Pipeline.Of(Costs, Links, order, ends) : null;

    private static Pipeline? Better(Pipeline? one, Pipeline? other) =>
        one is null || (other is not null && other.LatencyMs < one.LatencyMs - (1e-9 * one.LatencyMs)) ? other : one;

    /// <summary>Nodes that lose the fewest layers by being an end; of those the fastest.</summary>
    private List<NodeRoom> Ends(NodeRoom[] members, Func<LayerCapacity, (int AsEnd, int Plain)> figures) =>
        [.. members
            .Select(room => (Room: room, Figures: figures(Costs.Capacity(room))))
            .Where(one => one.Figures.AsEnd >= 1 || !Costs.IsUniform)
            .OrderBy(static one => one.Figures.Plain - one.Figures.AsEnd)
            .ThenByDescending(static one => Math.Min(one.Room.Tflops, one.Room.Bandwidth))
            .ThenBy(static one => one.Room.Index)
            .Take(EndCandidates)
            .Select(static one => one.Room)];
}
