using Parallax.KvBlocks;

namespace Parallax.KvClient;

/// <summary>A part that is to be put.</summary>
/// <param name="Address">Its address.</param>
/// <param name="Payload">Its bytes, 1 to 4 MiB: not to be changed until the put has ended.</param>
/// <param name="Previous">The hash of the block before in its chain; zero for the first block.</param>
public readonly record struct PartToPut(PartAddress Address, ReadOnlyMemory<byte> Payload, UInt128 Previous);
