using System.Numerics;

namespace Parallax.UnitTests.Failover.Exploration;

/// <summary>128 bits of a row of numbers. Two different states of a million have the same with a probability of about 1e-26.</summary>
internal static class Fingerprint
{
    private const ulong Odd1 = 0xff51afd7ed558ccd;
    private const ulong Odd2 = 0xc4ceb9fe1a85ec53;

    public static UInt128 Of(ReadOnlySpan<long> values)
    {
        var (high, low) = (0x9e3779b97f4a7c15, 0xd1b54a32d192ed03UL);
        foreach (var value in values)
        {
            high = (high ^ (ulong)value) * Odd1;
            high ^= high >> 32;
            low = (BitOperations.RotateLeft(low, 29) + (ulong)value) * Odd2;
            low ^= low >> 29;
        }

        return Combine(new UInt128(high, low), (ulong)values.Length);
    }

    public static UInt128 Combine(UInt128 left, UInt128 right)
    {
        var high = ((ulong)(left >> 64) ^ (ulong)right) * Odd1;
        var low = (BitOperations.RotateLeft((ulong)left, 29) + (ulong)(right >> 64)) * Odd2;
        high ^= (high >> 31) + low;
        low ^= (low >> 33) + high;
        return new UInt128(high * Odd2, low * Odd1);
    }
}
