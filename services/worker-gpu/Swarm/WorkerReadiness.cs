using Parallax.Contracts.V1;

namespace Parallax.Worker.Gpu.Swarm;

/// <summary>Whether a worker of a swarm does its part. Pure.</summary>
internal static class WorkerReadiness
{
    /// <summary>Why it does not; null when it serves layers, or stands by for them.</summary>
    /// <param name="own">What the swarm knows of it; null for nothing.</param>
    public static string? WhyNotReady(WorkerRecord? own) => own switch
    {
        null => "Its swarm does not know it yet.",
        { Phase: WorkerPhase.Draining } => "It leaves.",
        { Phase: WorkerPhase.Serving or WorkerPhase.Loading } when own.Shards.Any(static shard => shard.State == ShardState.Serving) => null,
        { Phase: WorkerPhase.Loading } => "It loads layers.",
        { Phase: WorkerPhase.Standby, Problem: { Length: > 0 } problem } => $"It serves nothing: {problem}",
        { Phase: WorkerPhase.Standby } => null,
        _ => "It is joining its swarm.",
    };
}
