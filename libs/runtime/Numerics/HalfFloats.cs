using System.Runtime.CompilerServices;

namespace Parallax.Runtime.Numerics;

/// <summary>Conversions between f32 and the 16-bit formats, by bit operations so that every machine agrees.</summary>
public static class HalfFloats
{
    /// <summary>bf16 bits to f32, exact.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float FromBf16(ushort bits) => BitConverter.UInt32BitsToSingle((uint)bits << 16);

    /// <summary>f32 to bf16 bits, nearest even; NaN stays NaN.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ushort ToBf16(float value)
    {
        var bits = BitConverter.SingleToUInt32Bits(value);
        if ((bits & 0x7FFF_FFFFu) > 0x7F80_0000u)
        {
            return (ushort)((bits >> 16) | 0x40);
        }

        return (ushort)((bits + 0x7FFFu + ((bits >> 16) & 1u)) >> 16);
    }

    /// <summary>Rounds to the nearest bf16 value (ties to even), as f32.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float RoundToBf16(float value) => FromBf16(ToBf16(value));

    /// <summary>
    /// f16 bits to f32, exact for every finite value. Exponent 31 (infinity, NaN) becomes a large finite number: weights
    /// are checked for it when they are packed.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float FromF16Finite(ushort bits)
    {
        // Sign-extending first and shifting by 13 leaves sign, exponent and mantissa in place, with the exponent biased
        // by 15 instead of 127: multiplying by 2^112 corrects it, and normalises subnormals exactly.
        var wide = (uint)((short)bits << 13) & 0x8FFF_E000u;
        return BitConverter.UInt32BitsToSingle(wide) * F16Rebias;
    }

    /// <summary>2^112, the difference of the two formats' exponent biases.</summary>
    internal const float F16Rebias = 5.192296858534828e33f;
}
