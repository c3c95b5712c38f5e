using Parallax.Contracts.V1;

namespace Parallax.Scheduler.Swarm;

/// <summary>A worker's record and how far it can be believed.</summary>
/// <param name="Record">The newest known; its signature has been verified. Must not be changed.</param>
/// <param name="Freshness">How lately the worker was heard of.</param>
public sealed record ObservedWorker(WorkerRecord Record, Freshness Freshness);

/// <summary>How lately a worker was heard of.</summary>
public enum Freshness
{
    /// <summary>Within the last seconds: telemetry, a link or a call.</summary>
    Live,

    /// <summary>Only its lease runs; nothing speaks against it.</summary>
    Leased,

    /// <summary>Its lease runs, but links or calls say that it is dead: it counts as gone.</summary>
    Lost,
}
