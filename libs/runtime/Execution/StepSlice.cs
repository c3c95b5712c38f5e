namespace Parallax.Runtime.Execution;

/// <summary>Consecutive positions of one session within a step.</summary>
/// <param name="FirstRow">The slice's first row in the batch.</param>
/// <param name="Count">Rows (positions).</param>
/// <param name="StartPosition">Absolute position of the first row.</param>
/// <param name="BlockTables">
/// One table per <see cref="KvGroup"/> of the shard: entry b is the physical block of positions [16b, 16b+16), or -1 for
/// a block freed behind a sliding window. Covers at least StartPosition + Count positions.
/// </param>
public readonly record struct StepSlice(int FirstRow, int Count, int StartPosition, IReadOnlyList<int[]> BlockTables);
