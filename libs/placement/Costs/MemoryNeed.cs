namespace Parallax.Placement.Costs;

/// <summary>What a range takes on a node.</summary>
/// <param name="Weights">Layers, and the ends where the range has them.</param>
/// <param name="Total">Weights, KV and scratch.</param>
internal readonly record struct MemoryNeed(long Weights, long Total);
