using System.Buffers;

namespace Parallax.Transport.Buffers;

/// <summary>
/// Pooled bytes with counted owners: whoever holds one disposes it once, and the last dispose returns it to its pool.
/// Passing it on passes ownership; <see cref="Share"/> makes one more owner. Use after the last dispose throws
/// <see cref="ObjectDisposedException"/>, as far as the bytes have not been rented again.
/// </summary>
public sealed class TensorBuffer : IMemoryOwner<byte>
{
    private readonly TensorBufferPool _pool;
    private readonly byte[] _bytes;
    private OwnerCount _owners;
    private int _length;
    private IBufferLedger? _ledger;

    internal TensorBuffer(TensorBufferPool pool, int sizeClass, int capacity)
    {
        _pool = pool;
        SizeClass = sizeClass;
        // Alignment to 64 is not worth pinning: kernels copy rows into their own layout anyway.
        _bytes = GC.AllocateUninitializedArray<byte>(capacity);
    }

    /// <summary>Bytes in use.</summary>
    public int Length
    {
        get => _length;
        set
        {
            ArgumentOutOfRangeException.ThrowIfNegative(value);
            ArgumentOutOfRangeException.ThrowIfGreaterThan(value, _bytes.Length);
            _length = value;
        }
    }

    /// <summary>Bytes that fit.</summary>
    public int Capacity => _bytes.Length;

    /// <inheritdoc/>
    public Memory<byte> Memory
    {
        get
        {
            ThrowIfReturned();
            return _bytes.AsMemory(0, _length);
        }
    }

    /// <summary>The bytes in use.</summary>
    public Span<byte> Span
    {
        get
        {
            ThrowIfReturned();
            return _bytes.AsSpan(0, _length);
        }
    }

    /// <summary>What it was rented for, for leak reports.</summary>
    public string Purpose { get; private set; } = "";

    internal int SizeClass { get; }

    /// <summary>All bytes, used or not.</summary>
    internal Span<byte> FullSpan
    {
        get
        {
            ThrowIfReturned();
            return _bytes;
        }
    }

    /// <summary>Adds an owner and returns this buffer for it.</summary>
    public TensorBuffer Share()
    {
        _owners.Add(this);
        return this;
    }

    /// <summary>Gives up one ownership.</summary>
    public void Dispose()
    {
        if (_owners.Release(nameof(TensorBuffer), "A tensor buffer"))
        {
            Interlocked.Exchange(ref _ledger, null)?.Release(_length);
            _pool.Return(this);
        }
    }

    internal void Open(int length, string purpose)
    {
        _length = length;
        Purpose = purpose;
        _owners.Open();
    }

    /// <summary>Books the buffer's bytes on a ledger until its last owner is gone.</summary>
    internal void Charge(IBufferLedger ledger)
    {
        _ledger = ledger;
        ledger.Take(_length);
    }

    private void ThrowIfReturned() => _owners.ThrowIfNone(this);
}
