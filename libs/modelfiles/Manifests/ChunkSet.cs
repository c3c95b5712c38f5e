using System.Numerics;

namespace Parallax.ModelFiles.Manifests;

/// <summary>A set of a manifest's chunks. Not thread-safe.</summary>
public sealed class ChunkSet
{
    private readonly byte[] _bits;

    /// <param name="length">Chunks of the manifest.</param>
    public ChunkSet(int length)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        Length = length;
        _bits = new byte[(length + 7) / 8];
    }

    private ChunkSet(int length, byte[] bits)
    {
        Length = length;
        _bits = bits;
        Count = bits.Sum(static value => BitOperations.PopCount(value));
    }

    /// <summary>Chunks that could be in it.</summary>
    public int Length { get; }

    /// <summary>Chunks that are.</summary>
    public int Count { get; private set; }

    /// <summary>Whether none is missing.</summary>
    public bool IsFull => Count == Length;

    /// <summary>All chunks.</summary>
    public static ChunkSet Full(int length)
    {
        var set = new ChunkSet(length);
        set.AddRange(0, length);
        return set;
    }

    /// <summary>Reads what <see cref="ToArray"/> wrote; null when it is no such set.</summary>
    public static ChunkSet? TryRead(ReadOnlySpan<byte> bits, int length) =>
        bits.Length != (length + 7) / 8 || (length % 8 != 0 && bits[^1] >> (length % 8) != 0) ? null : new ChunkSet(length, bits.ToArray());

    /// <summary>Whether the chunk is in the set.</summary>
    public bool Contains(int chunk)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)chunk, (uint)Length, nameof(chunk));
        return (_bits[chunk >> 3] & (1 << (chunk & 7))) != 0;
    }

    /// <summary>Adds a chunk; false when it was there.</summary>
    public bool Add(int chunk)
    {
        if (Contains(chunk))
        {
            return false;
        }

        _bits[chunk >> 3] |= (byte)(1 << (chunk & 7));
        Count++;
        return true;
    }

    /// <summary>Adds chunks [first, first + count).</summary>
    public void AddRange(int first, int count)
    {
        for (var chunk = first; chunk < first + count; chunk++)
        {
            Add(chunk);
        }
    }

    /// <summary>Takes a chunk out; false when it was not there.</summary>
    public bool Remove(int chunk)
    {
        if (!Contains(chunk))
        {
            return false;
        }

        _bits[chunk >> 3] &= (byte)~(1 << (chunk & 7));
        Count--;
        return true;
    }

    /// <summary>Whether every chunk of <paramref name="other"/> is here.</summary>
    public bool Covers(ChunkSet other)
    {
        ArgumentNullException.ThrowIfNull(other);
        for (var i = 0; i < _bits.Length; i++)
        {
            if ((other._bits[i] & ~_bits[i]) != 0)
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>The chunks that are here and not in <paramref name="other"/>.</summary>
    public ChunkSet Except(ChunkSet other)
    {
        ArgumentNullException.ThrowIfNull(other);
        var bits = new byte[_bits.Length];
        for (var i = 0; i < bits.Length; i++)
        {
            bits[i] = (byte)(_bits[i] & ~other._bits[i]);
        }

        return new ChunkSet(Length, bits);
    }

    /// <summary>A set of its own with the same chunks.</summary>
    public ChunkSet Copy() => new(Length, [.. _bits]);

    /// <summary>The chunks, ascending.</summary>
    public IEnumerable<int> Chunks()
    {
        for (var chunk = 0; chunk < Length; chunk++)
        {
            if (Contains(chunk))
            {
                yield return chunk;
            }
        }
    }

    /// <summary>A bit per chunk, the lowest bit of a byte first.</summary>
    public byte[] ToArray() => [.. _bits];
}
