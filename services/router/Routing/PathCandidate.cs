using System.Collections.Frozen;
using System.Collections.Immutable;
using Parallax.Router.Sessions;

namespace Parallax.Router.Routing;

/// <summary>A worker that a path may lead over, as the live map and the control stream to it say.</summary>
/// <param name="WorkerId">By which links between workers know it; ties go by it.</param>
/// <param name="Address">Where it listens, for people.</param>
/// <param name="Shards">What it serves; empty when it takes no new sessions.</param>
internal sealed record PathCandidate(string WorkerId, string Address, ImmutableArray<ShardCandidate> Shards)
{
    /// <summary>Round trips to other workers that it has measured, in milliseconds, by their ids; either side's figure will do.</summary>
    public IReadOnlyDictionary<string, double> RoundTrips { get; init; } = FrozenDictionary<string, double>.Empty;

    /// <summary>Workers that it cannot reach; one side's word makes the two no neighbours.</summary>
    public IReadOnlySet<string> Unreachable { get; init; } = FrozenSet<string>.Empty;
}

/// <summary>One shard of a candidate.</summary>
/// <param name="Offer">What it serves.</param>
internal sealed record ShardCandidate(ShardOffer Offer)
{
    /// <summary>How busy it is.</summary>
    public StageLoad Load { get; init; }

    /// <summary>How fast it is.</summary>
    public StageSpeed Speed { get; init; } = StageSpeed.Unknown;
}
