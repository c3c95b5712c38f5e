using Parallax.Contracts.Identifiers;
using Parallax.Contracts.V1;

namespace Parallax.Swarm.Map;

/// <summary>What a member knows of one worker.</summary>
/// <param name="Id">Its peer id.</param>
/// <param name="Record">Its newest record.</param>
/// <param name="Incarnation">The signed incarnation: records are ordered by it first.</param>
/// <param name="Sequence">And by this then.</param>
/// <param name="ExpiresAt">When the lease runs out, on the reader's clock.</param>
/// <param name="HeardAt">When it was last known to be alive: its record changed, or it answered.</param>
public sealed record MapWorker(PeerId Id, WorkerRecord Record, long Incarnation, long Sequence, TimeSpan ExpiresAt, TimeSpan HeardAt)
{
    /// <summary>Probes in a row that it did not answer.</summary>
    public int MissedProbes { get; init; }

    /// <summary>Whether it is given up: it stays in the map, so that old copies of its record change nothing, until it answers or its lease runs out.</summary>
    public bool IsLost { get; init; }

    /// <summary>When it last failed to answer.</summary>
    public TimeSpan LostAt { get; init; }

    /// <summary>Whether its record was renewed after it was given up: it lives, and only this member cannot reach it.</summary>
    public bool IsOutOfReach => IsLost && HeardAt > LostAt;

    /// <summary>Measured round trip; null when it was never probed.</summary>
    public TimeSpan? RoundTrip { get; init; }
}
