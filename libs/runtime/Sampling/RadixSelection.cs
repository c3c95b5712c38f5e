namespace Parallax.Runtime.Sampling;

/// <summary>The k-th smallest of many keys in linear time, whatever their order.</summary>
internal sealed class RadixSelection
{
    private const int DigitBits = 11;
    private const int Digits = 3;

    private readonly int[] _histogram = new int[1 << DigitBits];

    /// <summary>The upper 32 bits of the key that stands at <paramref name="rank"/> (from 0) when sorted by them.</summary>
    public uint UpperHalfAt(ReadOnlySpan<ulong> keys, int rank)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)rank, (uint)keys.Length, nameof(rank));
        var (prefix, prefixMask) = (0u, 0u);
        for (var digit = Digits - 1; digit >= 0; digit--)
        {
            var shift = digit * DigitBits;
            Array.Clear(_histogram);
            foreach (var key in keys)
            {
                var upper = (uint)(key >> 32);
                if ((upper & prefixMask) == prefix)
                {
                    _histogram[(upper >> shift) & (_histogram.Length - 1)]++;
                }
            }

            var bin = 0;
            while (rank >= _histogram[bin])
            {
                rank -= _histogram[bin++];
            }

            prefix |= (uint)bin << shift;
            prefixMask |= (uint)(_histogram.Length - 1) << shift;
        }

        return prefix;
    }
}
