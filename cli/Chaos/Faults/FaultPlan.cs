using System.Collections.Immutable;

namespace Parallax.Cli.Chaos.Faults;

/// <summary>What faults are drawn at random.</summary>
/// <param name="Seed">The same seed, the same faults.</param>
/// <param name="Rate">Faults a second, on average.</param>
/// <param name="Kinds">Which kinds, each as often as another; at least one.</param>
/// <param name="Victims">Who is hit by kills, pauses and slowness; at least one.</param>
/// <param name="Stages">Stages of the ring.</param>
internal sealed record FaultPlan(ulong Seed, double Rate, ImmutableArray<FaultKind> Kinds, ImmutableArray<Victim> Victims, int Stages);
