namespace Parallax.KvIndex.Index;

/// <summary>How an index is.</summary>
/// <param name="Pairs">(Shard, block) pairs that it holds.</param>
/// <param name="Workers">Workers that it has heard of.</param>
/// <param name="Usable">Of these, those of whom nothing was missed.</param>
/// <param name="Added">Pairs added since the start.</param>
/// <param name="Evicted">Pairs removed because the worker said so.</param>
/// <param name="Crowded">Pairs removed because there was no room.</param>
/// <param name="Gaps">Times that something of a worker was missed.</param>
public readonly record struct PrefixIndexCounts(int Pairs, int Workers, int Usable, long Added, long Evicted, long Crowded, long Gaps);
