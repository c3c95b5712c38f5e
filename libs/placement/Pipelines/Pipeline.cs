using System.Collections.Immutable;
using Parallax.Contracts.Identifiers;
using Parallax.Placement.Costs;

namespace Parallax.Placement.Pipelines;

/// <summary>A complete pipeline with its predictions.</summary>
internal sealed class Pipeline
{
    private Pipeline(ImmutableArray<Stage> stages, double latencyMs, double tokensPerSecond)
    {
        Stages = stages;
        LatencyMs = latencyMs;
        TokensPerSecond = tokensPerSecond;
    }

    public ImmutableArray<Stage> Stages { get; }

    public double LatencyMs { get; }

    public double TokensPerSecond { get; }

    public NodeRoom Head => Stages[0].Room;

    public static Pipeline Of(ModelCosts costs, Links links, ImmutableArray<Stage> stages)
    {
        var slowest = 0.0;
        var latency = RingOrder.HopMilliseconds(links, stages.Select(static stage => stage.Room).ToArray());
        foreach (var (room, range) in stages)
        {
            slowest = Math.Max(slowest, costs.BatchMilliseconds(room, range));
            latency += costs.SingleMilliseconds(room, range);
        }

        return new Pipeline(stages, latency, 1000 * costs.Batch / Math.Max(slowest, 1e-6));
    }

    public static Pipeline Of(ModelCosts costs, Links links, ReadOnlySpan<NodeRoom> order, ReadOnlySpan<int> ends)
    {
        var stages = ImmutableArray.CreateBuilder<Stage>(order.Length);
        for (var i = 0; i < order.Length; i++)
        {
            stages.Add(new Stage(order[i], new LayerRange(i == 0 ? 0 : ends[i - 1], ends[i])));
        }

        return Of(costs, links, stages.MoveToImmutable());
    }

    /// <summary>As it is published.</summary>
    public PlannedPipeline ToPlan(string model) =>
        new(model, [.. Stages.Select(stage => new Assignment(stage.Room.Id, model, stage.Range))], LatencyMs, TokensPerSecond);
}
