using Parallax.Contracts.V1;

namespace Parallax.Swarm.Members;

/// <summary>What a worker says of itself, asked whenever it is to be published. Thread-safe.</summary>
public interface IMemberRecord
{
    /// <summary>The present state; id, incarnation, sequence, addresses, plan and round trips are filled in by the member.</summary>
    WorkerRecord Describe();

    /// <summary>Completes when something has changed that others should hear of at once: take this first, then describe.</summary>
    Task Changed { get; }
}
