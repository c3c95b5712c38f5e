using Parallax.KvBlocks;

namespace Parallax.KvClient;

/// <summary>A part that is to be put.</summary>
/// <param name="Address">Its address.</param>
/// <param name="Payload">Its bytes, 1 to 4 MiB: not to be changed until the put has ended.</param>
/// <param name="Previous">The hash of the block before in its chain; zero for the first block.</param>
/// <param name="Checksum">CRC-32C of the bytes where it is known: what is damaged on the way from there is refused; null: it is computed.</param>
public readonly record struct PartToPut(PartAddress Address, ReadOnlyMemory<byte> Payload, UInt128 Previous, uint? Checksum = null);
