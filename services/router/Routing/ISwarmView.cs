namespace Parallax.Router.Routing;

/// <summary>The live map of the swarm, as whoever follows the overlay and telemetry keeps it. Thread-safe.</summary>
public interface ISwarmView
{
    /// <summary>The newest map.</summary>
    SwarmMapSnapshot Current { get; }

    /// <summary>
    /// Completes when <see cref="Current"/> has changed since this task was handed out. Take it before reading
    /// <see cref="Current"/>, so that no change is missed.
    /// </summary>
    Task Changed { get; }
}
