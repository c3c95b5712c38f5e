using System.Collections.Immutable;

namespace Parallax.Router.Routing;

/// <summary>What a worker's record says that routing needs, checked. Immutable.</summary>
/// <param name="WorkerId">Its id.</param>
/// <param name="Incarnation">Which run of the worker says so.</param>
/// <param name="Addresses">Where it is dialled, best first; at least one.</param>
/// <param name="ExpiresAt">When its lease runs out, as a timestamp.</param>
internal sealed record WorkerReport(string WorkerId, long Incarnation, ImmutableArray<Uri> Addresses, long ExpiresAt)
{
    /// <summary>Orders the reports of one incarnation.</summary>
    public long Sequence { get; init; }

    /// <summary>When it said so, as a timestamp.</summary>
    public long HeardAt { get; init; }

    /// <summary>Whether it leaves.</summary>
    public bool IsDraining { get; init; }

    /// <summary>Its shards by id.</summary>
    public required IReadOnlyDictionary<string, ShardReport> Shards { get; init; }

    /// <summary>Measured round trips in milliseconds, by worker id.</summary>
    public required IReadOnlyDictionary<string, double> RoundTrips { get; init; }

    /// <summary>Workers that it cannot reach.</summary>
    public required IReadOnlySet<string> Unreachable { get; init; }
}

/// <summary>What a record says of one shard.</summary>
/// <param name="Load">How busy it is, sessions of this router included.</param>
/// <param name="Speed">How fast it is.</param>
internal sealed record ShardReport(StageLoad Load, StageSpeed Speed);
