using Parallax.KvBlocks.Disk;

namespace Parallax.UnitTests.KvBlocks;

/// <summary>A segment in memory.</summary>
internal sealed class MemorySegment(byte[] bytes) : ISegmentBytes
{
    public long Length => bytes.Length;

    public int Read(long offset, Span<byte> target)
    {
        var read = (int)Math.Clamp(bytes.Length - offset, 0, target.Length);
        bytes.AsSpan((int)Math.Min(offset, bytes.Length), read).CopyTo(target);
        return read;
    }
}
