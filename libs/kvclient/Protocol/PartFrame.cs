using Parallax.KvBlocks;
using Parallax.KvBlocks.Buffers;

namespace Parallax.KvClient.Protocol;

/// <summary>A part as it travels.</summary>
/// <param name="Address">Its address.</param>
/// <param name="Checksum">The CRC-32C of its bytes.</param>
/// <param name="Payload">Its bytes.</param>
/// <param name="Buffer">Of a part that was received: what holds the bytes; the receiver's.</param>
internal sealed record PartFrame(PartAddress Address, uint Checksum, ReadOnlyMemory<byte> Payload, PartBuffer? Buffer = null);
