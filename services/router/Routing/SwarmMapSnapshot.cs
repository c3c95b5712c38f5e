using System.Collections.Immutable;
using Parallax.Contracts.V1;

namespace Parallax.Router.Routing;

/// <summary>The workers of a swarm at one instant.</summary>
/// <param name="Workers">Each worker once, by its newest record. Signatures have been checked, contents have not.</param>
public sealed record SwarmMapSnapshot(ImmutableArray<SwarmWorker> Workers)
{
    /// <summary>Nobody is there.</summary>
    public static readonly SwarmMapSnapshot Empty = new([]);
}

/// <summary>One worker of a map.</summary>
/// <param name="Record">What it says of itself; not changed any more.</param>
/// <param name="HeardAt">When it said so: a timestamp of the process's <see cref="TimeProvider"/>.</param>
/// <param name="ExpiresAt">When its lease runs out, likewise: from then on it is no candidate.</param>
public sealed record SwarmWorker(WorkerRecord Record, long HeardAt, long ExpiresAt);
