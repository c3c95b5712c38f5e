using System.Collections.Immutable;
using Parallax.Contracts.Identifiers;

namespace Parallax.Placement;

/// <summary>What a node is to hold.</summary>
public sealed record Assignment(string Node, string Model, LayerRange Range);

/// <summary>Nodes that together hold all layers of a model.</summary>
/// <param name="Model">The model's name.</param>
/// <param name="Stages">From head to tail.</param>
/// <param name="LatencyMs">Predicted time of one decode step of one session around the ring.</param>
/// <param name="TokensPerSecond">Predicted throughput at the demand's batch: what its slowest stage lets through.</param>
public sealed record PlannedPipeline(string Model, ImmutableArray<Assignment> Stages, double LatencyMs, double TokensPerSecond);

/// <summary>What is missing for a model.</summary>
/// <param name="Model">Its name.</param>
/// <param name="Resource">What: <c>memory</c>, <c>nodes</c> or <c>links</c>.</param>
/// <param name="Missing">How much, in the resource's unit (bytes, nodes, pairs).</param>
/// <param name="Text">A sentence for people, with the figures.</param>
public sealed record Shortage(string Model, string Resource, long Missing, string Text);

/// <summary>The desired placement.</summary>
/// <param name="Pipelines">Complete pipelines, by model and then in the order of their heads' ids.</param>
/// <param name="Replicas">Warm copies of the ranges whose loss would hurt most, on nodes that no pipeline needs.</param>
/// <param name="Standby">Nodes that get nothing, ordered.</param>
/// <param name="Shortages">Models that cannot be placed, and why; empty when all are.</param>
/// <param name="Reasons">Why it is so, sentence by sentence, for people.</param>
public sealed record AllocationPlan(
    ImmutableArray<PlannedPipeline> Pipelines,
    ImmutableArray<Assignment> Replicas,
    ImmutableArray<string> Standby,
    ImmutableArray<Shortage> Shortages,
    ImmutableArray<string> Reasons)
{
    /// <summary>Everything that somebody is to hold.</summary>
    public IEnumerable<Assignment> Assignments() => Pipelines.SelectMany(static pipeline => pipeline.Stages).Concat(Replicas);
}

/// <summary>A model that shall be served.</summary>
/// <param name="Shape">The model.</param>
public sealed record ModelDemand(ModelShape Shape)
{
    /// <summary>KV positions that each stage of a pipeline must have room for, over all sessions.</summary>
    public int KvTokens { get; init; } = 4096;

    /// <summary>Sessions computed together: what throughput is predicted for.</summary>
    public int Batch { get; init; } = 8;

    /// <summary>Context at which times are predicted, in tokens.</summary>
    public int Context { get; init; } = 1024;

    /// <summary>Pipelines at most; null: as many as pay.</summary>
    public int? MaxPipelines { get; init; }

    /// <summary>Placements that must stay as they are, whatever would be better.</summary>
    public ImmutableArray<Assignment> Pins { get; init; } = [];
}

/// <summary>How to plan.</summary>
public sealed record AllocationOptions
{
    /// <summary>Assumed where a round trip is unknown, in milliseconds.</summary>
    public double UnknownRoundTripMs { get; init; } = 20;

    /// <summary>Whether nodes that no pipeline needs hold warm replicas.</summary>
    public bool WithReplicas { get; init; } = true;

    /// <summary>By how much a new plan's throughput must exceed the present one's for layers to move that need not.</summary>
    public double RebalanceGain { get; init; } = 1.2;
}

/// <summary>A node's change of what it holds.</summary>
/// <param name="Node">Which.</param>
/// <param name="Model">The model's name.</param>
/// <param name="From">What it holds now; null: nothing of that model.</param>
/// <param name="To">What it shall hold; null: nothing.</param>
/// <param name="LoadBytes">Weights that it does not hold yet.</param>
public sealed record Move(string Node, string Model, LayerRange? From, LayerRange? To, long LoadBytes);

/// <summary>The next plan and what it takes to get there.</summary>
/// <param name="Plan">The desired placement.</param>
/// <param name="Moves">Ordered by node; empty when nothing changes.</param>
public sealed record Replanning(AllocationPlan Plan, ImmutableArray<Move> Moves);
