using System.Collections;

namespace Parallax.KvBlocks;

/// <summary>Which blocks of a chain are whole, that is, have all parts that were asked for.</summary>
/// <param name="Leading">How many from the beginning of the chain are, without a gap.</param>
/// <param name="Whole">For each block whether it is.</param>
public sealed record ChainPresence(int Leading, BitArray Whole);
