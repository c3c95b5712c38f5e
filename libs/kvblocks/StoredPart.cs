using Parallax.KvBlocks.Buffers;

namespace Parallax.KvBlocks;

/// <summary>A part that was read.</summary>
/// <param name="Payload">Its bytes; one ownership is the reader's.</param>
/// <param name="Checksum">Their CRC-32C as it was put.</param>
/// <param name="Previous">The hash of the block before; zero for none.</param>
public sealed record StoredPart(PartBuffer Payload, uint Checksum, UInt128 Previous) : IDisposable
{
    /// <inheritdoc/>
    public void Dispose() => Payload.Dispose();
}
