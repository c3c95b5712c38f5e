using System.Numerics;

namespace Parallax.KvBlocks.Buffers;

/// <summary>
/// Buffers of 1 byte to 4 MiB in eight size classes to each doubling, so that at most an eighth of one is unused: parts of a model are
/// of few sizes and use each other's buffers again. What is kept idle is bounded, the rest goes to the collector. Thread-safe.
/// </summary>
public sealed class PartBufferPool
{
    private const int SmallestShift = 8;
    private const int StepShift = 3;

    private readonly Lock _gate = new(); // guards _shelves and _idleBytes
    private readonly Stack<PartBuffer>[] _shelves;
    private readonly long _mostIdleBytes;
    private long _idleBytes;
    private long _outstanding;

    /// <param name="mostIdleBytes">What is kept for the next renter at most.</param>
    public PartBufferPool(long mostIdleBytes)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(mostIdleBytes);
        _mostIdleBytes = mostIdleBytes;
        _shelves = new Stack<PartBuffer>[ClassOf(PartLimits.MostPartBytes).Class + 1];
        for (var i = 0; i < _shelves.Length; i++)
        {
            _shelves[i] = new Stack<PartBuffer>();
        }
    }

    /// <summary>Buffers that have an owner.</summary>
    public long Outstanding => Interlocked.Read(ref _outstanding);

    /// <summary>A buffer with one owner; its content is undefined.</summary>
    /// <param name="length">1 to <see cref="PartLimits.MostPartBytes"/>.</param>
    public PartBuffer Rent(int length)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(length, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(length, PartLimits.MostPartBytes);
        var (sizeClass, capacity) = ClassOf(length);
        PartBuffer? buffer;
        lock (_gate)
        {
            if (_shelves[sizeClass].TryPop(out buffer))
            {
                _idleBytes -= buffer.Capacity;
            }
        }

        buffer ??= new PartBuffer(this, sizeClass, capacity);
        Interlocked.Increment(ref _outstanding);
        buffer.Open(length);
        return buffer;
    }

    /// <summary>Bytes that a buffer of a length takes.</summary>
    internal static int CapacityOf(int length) => ClassOf(length).Capacity;

    internal void Return(PartBuffer buffer)
    {
        Interlocked.Decrement(ref _outstanding);
        lock (_gate)
        {
            if (_idleBytes + buffer.Capacity <= _mostIdleBytes)
            {
                _idleBytes += buffer.Capacity;
                _shelves[buffer.SizeClass].Push(buffer);
            }
        }
    }

    private static (int Class, int Capacity) ClassOf(int length)
    {
        if (length <= 1 << SmallestShift)
        {
            return (0, 1 << SmallestShift);
        }

        // Within (2^k, 2^(k+1)] there are eight sizes: 9, 10, ... 16 eighths of 2^k.
        var octave = BitOperations.Log2((uint)(length - 1));
        var unit = octave - StepShift;
        var eighths = (length + (1 << unit) - 1) >> unit;
        return (((octave - SmallestShift) << StepShift) + eighths - (1 << StepShift), eighths << unit);
    }
}
