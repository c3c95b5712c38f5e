namespace Parallax.Runtime.Blocks;

/// <summary>One part of a block in the form of <see cref="BlockPartForm"/>, with its checksum.</summary>
/// <param name="Address">Where it belongs.</param>
/// <param name="Bytes">Header and values. Whoever holds the part must not change them.</param>
/// <param name="Checksum">CRC-32C of the bytes (<see cref="BlockPartForm.Checksum"/>).</param>
public readonly record struct BlockPart(BlockPartAddress Address, ReadOnlyMemory<byte> Bytes, uint Checksum);
