using System.Numerics;

namespace Parallax.Transport.Buffers;

/// <summary>
/// Buffers in size classes of powers of two from 1 KiB to 512 KiB. Renting and returning allocate nothing once a class
/// is warm; what is kept idle is bounded, the rest goes to the collector. Thread-safe.
/// </summary>
public sealed class TensorBufferPool
{
    private const int SmallestShift = 10;
    private const int LargestShift = 19;

    private readonly Shelf[] _shelves = new Shelf[LargestShift - SmallestShift + 1];
    private readonly long _maxIdleBytes;
    private long _idleBytes;
    private long _outstanding;
    private long _outstandingBytes;
#if DEBUG
    private readonly System.Collections.Concurrent.ConcurrentDictionary<TensorBuffer, byte> _rented = new();
#endif

    /// <summary>A pool that keeps at most <paramref name="maxIdleBytes"/> of returned buffers.</summary>
    public TensorBufferPool(long maxIdleBytes = 64L << 20)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(maxIdleBytes);
        _maxIdleBytes = maxIdleBytes;
        for (var i = 0; i < _shelves.Length; i++)
        {
            _shelves[i] = new Shelf();
        }
    }

    /// <summary>The process's pool.</summary>
    public static TensorBufferPool Shared { get; } = new();

    /// <summary>Buffers that have an owner.</summary>
    public long Outstanding => Interlocked.Read(ref _outstanding);

    /// <summary>Their capacity in bytes.</summary>
    public long OutstandingBytes => Interlocked.Read(ref _outstandingBytes);

    /// <summary>Bytes kept for the next renter.</summary>
    public long IdleBytes => Interlocked.Read(ref _idleBytes);

    /// <summary>Largest length that can be rented.</summary>
    public static int MaxLength => 1 << LargestShift;

    /// <summary>A buffer of <paramref name="length"/> bytes with one owner; its content is undefined.</summary>
    /// <param name="length">0 to <see cref="MaxLength"/>.</param>
    /// <param name="purpose">A constant that names the use; shown by <see cref="Leaks"/>.</param>
    public TensorBuffer Rent(int length, string purpose)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(length, MaxLength);
        ArgumentNullException.ThrowIfNull(purpose);
        var shift = Math.Max(SmallestShift, BitOperations.Log2((uint)Math.Max(1, length - 1)) + 1);
        var sizeClass = shift - SmallestShift;
        var buffer = _shelves[sizeClass].Take();
        if (buffer is null)
        {
            buffer = new TensorBuffer(this, sizeClass, 1 << shift);
        }
        else
        {
            Interlocked.Add(ref _idleBytes, -buffer.Capacity);
        }

        Interlocked.Increment(ref _outstanding);
        Interlocked.Add(ref _outstandingBytes, buffer.Capacity);
        buffer.Open(length, purpose);
#if DEBUG
        _rented[buffer] = 0;
#endif
        return buffer;
    }

    /// <summary>What is rented, as "purpose: buffers"; only a debug build knows the purposes, others give the number.</summary>
    public IReadOnlyList<string> Leaks()
    {
#if DEBUG
        return [.. _rented.Keys.GroupBy(buffer => buffer.Purpose, StringComparer.Ordinal)
            .OrderBy(group => group.Key, StringComparer.Ordinal)
            .Select(group => $"{group.Key}: {group.Count()}")];
#else
        return Outstanding == 0 ? [] : [$"{Outstanding} buffers (a debug build names them)"];
#endif
    }

    internal void Return(TensorBuffer buffer)
    {
#if DEBUG
        _rented.TryRemove(buffer, out _);
#endif
        Interlocked.Decrement(ref _outstanding);
        Interlocked.Add(ref _outstandingBytes, -buffer.Capacity);
        if (Interlocked.Add(ref _idleBytes, buffer.Capacity) > _maxIdleBytes)
        {
            Interlocked.Add(ref _idleBytes, -buffer.Capacity);
            return;
        }

        _shelves[buffer.SizeClass].Put(buffer);
    }

    /// <summary>A stack that allocates only when it grows.</summary>
    private sealed class Shelf
    {
        private readonly Lock _lock = new(); // guards _items and _count
        private TensorBuffer?[] _items = new TensorBuffer?[16];
        private int _count;

        public TensorBuffer? Take()
        {
            lock (_lock)
            {
                if (_count == 0)
                {
                    return null;
                }

                var item = _items[--_count];
                _items[_count] = null;
                return item;
            }
        }

        public void Put(TensorBuffer buffer)
        {
            lock (_lock)
            {
                if (_count == _items.Length)
                {
                    Array.Resize(ref _items, _count * 2);
                }

                _items[_count++] = buffer;
            }
        }
    }
}
