using Parallax.KvBlocks.Buffers;

namespace Parallax.KvBlocks;

/// <summary>Reads parts back from the disk tier. Thread-safe.</summary>
internal interface IPartDisk
{
    /// <summary>Reads a record's payload and checks that it is the one that was written.</summary>
    /// <param name="segment">Where it was when it was looked up.</param>
    /// <param name="offset">Where its record begins.</param>
    /// <param name="part">Whose, and its address.</param>
    /// <param name="checksum">The CRC-32C of its bytes.</param>
    /// <param name="payload">Where the bytes go; as long as the part.</param>
    /// <param name="cancellationToken">Gives up.</param>
    ValueTask<DiskRead> ReadAsync(int segment, uint offset, ScannedPart part, uint checksum, PartBuffer payload, CancellationToken cancellationToken);
}
