using Parallax.Transport.Flow;

namespace Parallax.UnitTests.Transport.Flow;

/// <summary>A spill file in memory that can be full, unreadable and damaged.</summary>
internal sealed class MemorySpillFile : ISpillFile
{
    private byte[] _bytes = [];

    /// <summary>Bytes that fit.</summary>
    public long Room { get; set; } = long.MaxValue;

    public bool IsUnreadable { get; set; }

    public bool IsDisposed { get; private set; }

    /// <summary>The longest that the file has been.</summary>
    public long MostBytes { get; private set; }

    public long Length => _bytes.Length;

    public int Writes { get; private set; }

    public void Write(long offset, ReadOnlySpan<byte> bytes)
    {
        var end = (int)offset + bytes.Length;
        if (end > Room)
        {
            throw new IOException("no space left on device");
        }

        if (end > _bytes.Length)
        {
            Array.Resize(ref _bytes, end);
        }

        bytes.CopyTo(_bytes.AsSpan((int)offset));
        Writes++;
        MostBytes = Math.Max(MostBytes, _bytes.Length);
    }

    public void Read(long offset, Span<byte> target)
    {
        if (IsUnreadable)
        {
            throw new IOException("input/output error");
        }

        _bytes.AsSpan((int)offset, target.Length).CopyTo(target);
    }

    public void Clear() => _bytes = [];

    public void Dispose() => IsDisposed = true;

    /// <summary>Flips a bit.</summary>
    public void Damage(long offset) => _bytes[offset] ^= 1;
}
