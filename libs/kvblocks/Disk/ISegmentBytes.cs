namespace Parallax.KvBlocks.Disk;

/// <summary>A segment as a scan reads it.</summary>
internal interface ISegmentBytes
{
    long Length { get; }

    /// <summary>Fills the span from a position on; less only where the file ends.</summary>
    int Read(long offset, Span<byte> bytes);
}
