using System.Collections.Immutable;

namespace Parallax.Scheduler.Swarm;

/// <summary>The workers as this scheduler sees them, by overlay, telemetry and links. Thread-safe.</summary>
public interface ISwarmObserver
{
    /// <summary>Workers whose lease runs, at most one entry each; one that is gone is not in it.</summary>
    ImmutableArray<ObservedWorker> Current { get; }

    /// <summary>
    /// Completes at the next change of <see cref="Current"/>. Taken before one looks at it, no change is missed.
    /// </summary>
    Task Changed { get; }
}
