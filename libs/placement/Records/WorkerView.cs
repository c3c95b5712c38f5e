using System.Collections.Immutable;
using Parallax.Contracts.Identifiers;
using Parallax.Contracts.V1;

namespace Parallax.Placement.Records;

/// <summary>What a worker's record says, checked and in placement's terms.</summary>
/// <param name="Node">Its machine.</param>
/// <param name="Incarnation">Drawn at its start.</param>
/// <param name="Phase">Where it is in its life.</param>
/// <param name="Shards">What it loads or serves; what drains is not in it.</param>
/// <param name="RoundTrips">To other workers, in milliseconds.</param>
/// <param name="Unreachable">Workers that it cannot reach, ordered.</param>
/// <param name="Follows">Version of the newest plan that it has taken note of; 0: none.</param>
/// <param name="Intent">What it is about to take without a scheduler; null: nothing.</param>
public sealed record WorkerView(
    PlacementNode Node,
    long Incarnation,
    WorkerPhase Phase,
    ImmutableArray<ShardView> Shards,
    ImmutableSortedDictionary<string, double> RoundTrips,
    ImmutableSortedSet<string> Unreachable,
    long Follows,
    ClaimedRange? Intent)
{
    /// <summary>Its id.</summary>
    public string Id => Node.Id;

    /// <summary>Whether layers may be placed on it: it has probed its device and does not leave.</summary>
    public bool IsReady => Phase is WorkerPhase.Standby or WorkerPhase.Loading or WorkerPhase.Serving;

    /// <summary>Whether planning sees the same in both: telemetry that moves all the time is left out.</summary>
    public bool PlansLike(WorkerView other)
    {
        ArgumentNullException.ThrowIfNull(other);
        return Incarnation == other.Incarnation
            && Phase == other.Phase
            && Follows == other.Follows
            && Intent == other.Intent
            && Node with { Measured = [] } == other.Node with { Measured = [] }
            && Shards.SequenceEqual(other.Shards)
            && Unreachable.SetEquals(other.Unreachable);
    }
}

/// <summary>A shard of a worker.</summary>
/// <param name="Model">What it is a part of, and how it is computed.</param>
/// <param name="Range">Its layers.</param>
/// <param name="IsServing">Or it still loads.</param>
public sealed record ShardView(ModelClass Model, LayerRange Range, bool IsServing);

/// <summary>A model with all that must be alike in two shards for them to work together.</summary>
/// <param name="Name">The name that requests give.</param>
/// <param name="WeightsHash">Hex.</param>
/// <param name="Residual">Residual precision.</param>
/// <param name="LinksQ8">Whether hidden states travel in 8-bit blocks.</param>
public sealed record ModelClass(string Name, string WeightsHash, NumericClass.Types.Residual Residual, bool LinksQ8);

/// <summary>A range of a model's layers that somebody claims.</summary>
public sealed record ClaimedRange(string Model, string WeightsHash, LayerRange Range);
