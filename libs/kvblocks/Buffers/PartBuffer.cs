using System.Buffers;
using Parallax.Transport.Buffers;

namespace Parallax.KvBlocks.Buffers;

/// <summary>
/// A part's bytes, with counted owners: whoever holds one disposes it once, and the last dispose gives it back to its pool.
/// Passing it on passes ownership; <see cref="Share"/> makes one more owner. Nobody writes it once it has been shared.
/// </summary>
public sealed class PartBuffer : IMemoryOwner<byte>
{
    private readonly PartBufferPool _pool;
    private readonly byte[] _bytes;
    private OwnerCount _owners;
    private int _length;

    internal PartBuffer(PartBufferPool pool, int sizeClass, int capacity)
    {
        _pool = pool;
        SizeClass = sizeClass;
        _bytes = GC.AllocateUninitializedArray<byte>(capacity);
    }

    /// <summary>Bytes in use.</summary>
    public int Length => _length;

    /// <summary>The bytes.</summary>
    public Memory<byte> Memory
    {
        get
        {
            ThrowIfReturned();
            return _bytes.AsMemory(0, _length);
        }
    }

    /// <summary>The bytes.</summary>
    public Span<byte> Span
    {
        get
        {
            ThrowIfReturned();
            return _bytes.AsSpan(0, _length);
        }
    }

    internal int SizeClass { get; }

    internal int Capacity => _bytes.Length;

    /// <summary>Adds an owner and returns this buffer for it.</summary>
    public PartBuffer Share()
    {
        _owners.Add(this);
        return this;
    }

    /// <summary>Gives up one ownership.</summary>
    public void Dispose()
    {
        if (_owners.Release(nameof(PartBuffer), "A part's buffer"))
        {
            _pool.Return(this);
        }
    }

    internal void Open(int length)
    {
        _length = length;
        _owners.Open();
    }

    private void ThrowIfReturned() => _owners.ThrowIfNone(this);
}
