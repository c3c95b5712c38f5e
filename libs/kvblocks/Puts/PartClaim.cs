namespace Parallax.KvBlocks.Puts;

/// <summary>A part that somebody wants to put.</summary>
/// <param name="Address">Its address.</param>
/// <param name="Length">Its bytes: 1 to <see cref="PartLimits.MostPartBytes"/>.</param>
/// <param name="Previous">The hash of the block before in the chain; zero for the first one, and where it is not known.</param>
public readonly record struct PartClaim(PartAddress Address, int Length, UInt128 Previous);
