using Parallax.Contracts.Identifiers;

namespace Parallax.Cli.Chaos.Processes;

/// <summary>A worker of a local swarm.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Stage">Its place in the ring, from 0.</param>
/// <param name="Layers">What it holds.</param>
/// <param name="IsAbsent">Whether the router's map names it and it is not started with the others.</param>
internal sealed record PlannedWorker(string Id, int Stage, LayerRange Layers, bool IsAbsent = false);
