using Parallax.KvBlocks.Buffers;

namespace Parallax.KvBlocks;

/// <summary>A part in memory that is to be written to disk.</summary>
/// <param name="Slot">Its slot.</param>
/// <param name="Generation">Which use of the slot.</param>
/// <param name="Part">Whose, and its address.</param>
/// <param name="Checksum">The CRC-32C of its bytes.</param>
/// <param name="Payload">Its bytes; one ownership is the writer's.</param>
internal readonly record struct UnwrittenPart(int Slot, uint Generation, ScannedPart Part, uint Checksum, PartBuffer Payload);
