namespace Parallax.Cli.Chaos.Faults;

/// <summary>A worker at the moment of a fault.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Stage">Its place in the ring, from 0.</param>
/// <param name="IsUp">Whether its process runs and serves.</param>
/// <param name="Sessions">Its sessions; null when it did not answer.</param>
internal sealed record WorkerView(string Id, int Stage, bool IsUp, int? Sessions);
