using System.Runtime.CompilerServices;
using Parallax.Runtime.Numerics;

namespace Parallax.Runtime.Cpu.Simd;

/// <summary>
/// The executable form of docs/numerics.md: one lane at a time, no vector instruction. Slow; for tests and for machines
/// without a vector unit.
/// </summary>
internal readonly unsafe struct IsaScalar : IIsa<IsaScalar.Floats, IsaScalar.Bytes>
{
    private const int Lanes = 16;

    public static bool IsSupported => true;

    public static bool HasDotU8S8 => false;

    public static Floats Zero => default;

    public static Bytes ZeroB => default;

    public static Floats Broadcast(float value)
    {
        Floats result = default;
        for (var i = 0; i < Lanes; i++)
        {
            result[i] = value;
        }

        return result;
    }

    public static Floats Load(float* source)
    {
        Floats result = default;
        for (var i = 0; i < Lanes; i++)
        {
            result[i] = source[i];
        }

        return result;
    }

    public static void Store(float* target, Floats value)
    {
        for (var i = 0; i < Lanes; i++)
        {
            target[i] = value[i];
        }
    }

    public static Floats Add(Floats a, Floats b)
    {
        Floats result = default;
        for (var i = 0; i < Lanes; i++)
        {
            result[i] = a[i] + b[i];
        }

        return result;
    }

    public static Floats Sub(Floats a, Floats b)
    {
        Floats result = default;
        for (var i = 0; i < Lanes; i++)
        {
            result[i] = a[i] - b[i];
        }

        return result;
    }

    public static Floats Mul(Floats a, Floats b)
    {
        Floats result = default;
        for (var i = 0; i < Lanes; i++)
        {
            result[i] = a[i] * b[i];
        }

        return result;
    }

    public static Floats Div(Floats a, Floats b)
    {
        Floats result = default;
        for (var i = 0; i < Lanes; i++)
        {
            result[i] = a[i] / b[i];
        }

        return result;
    }

    public static Floats Fma(Floats a, Floats b, Floats c)
    {
        Floats result = default;
        for (var i = 0; i < Lanes; i++)
        {
            result[i] = MathF.FusedMultiplyAdd(a[i], b[i], c[i]);
        }

        return result;
    }

    public static Floats Max(Floats a, Floats b)
    {
        Floats result = default;
        for (var i = 0; i < Lanes; i++)
        {
            result[i] = Math.Max(a[i], b[i]);
        }

        return result;
    }

    public static Floats Abs(Floats a)
    {
        Floats result = default;
        for (var i = 0; i < Lanes; i++)
        {
            result[i] = Math.Abs(a[i]);
        }

        return result;
    }

    public static Floats ZeroWhereLess(Floats x, Floats limit, Floats value)
    {
        Floats result = default;
        for (var i = 0; i < Lanes; i++)
        {
            result[i] = x[i] < limit[i] ? 0f : value[i];
        }

        return result;
    }

    public static float Sum(Floats a)
    {
        for (var half = Lanes / 2; half > 0; half /= 2)
        {
            for (var i = 0; i < half; i++)
            {
                a[i] += a[i + half];
            }
        }

        return a[0];
    }

    public static float MaxAcross(Floats a)
    {
        var max = a[0];
        for (var i = 1; i < Lanes; i++)
        {
            max = Math.Max(max, a[i]);
        }

        return max;
    }

    public static Floats LoadBf16(ushort* source)
    {
        Floats result = default;
        for (var i = 0; i < Lanes; i++)
        {
            result[i] = HalfFloats.FromBf16(source[i]);
        }

        return result;
    }

    public static void StoreBf16(ushort* target, Floats value)
    {
        for (var i = 0; i < Lanes; i++)
        {
            target[i] = HalfFloats.ToBf16(value[i]);
        }
    }

    public static Floats LoadF16(ushort* source)
    {
        Floats result = default;
        for (var i = 0; i < Lanes; i++)
        {
            result[i] = HalfFloats.FromF16Finite(source[i]);
        }

        return result;
    }

    public static Floats LoadU8(byte* source)
    {
        Floats result = default;
        for (var i = 0; i < Lanes; i++)
        {
            result[i] = source[i];
        }

        return result;
    }

    public static Floats LoadS8(sbyte* source)
    {
        Floats result = default;
        for (var i = 0; i < Lanes; i++)
        {
            result[i] = source[i];
        }

        return result;
    }

    public static Bytes LoadB(byte* source)
    {
        Bytes result = default;
        for (var i = 0; i < 64; i++)
        {
            result[i] = source[i];
        }

        return result;
    }

    public static Bytes Broadcast32(int value)
    {
        Bytes result = default;
        for (var i = 0; i < Lanes; i++)
        {
            result.SetI32(i, value);
        }

        return result;
    }

    public static Bytes And(Bytes a, Bytes b)
    {
        Bytes result = default;
        for (var i = 0; i < 64; i++)
        {
            result[i] = (byte)(a[i] & b[i]);
        }

        return result;
    }

    public static Bytes Or(Bytes a, Bytes b)
    {
        Bytes result = default;
        for (var i = 0; i < 64; i++)
        {
            result[i] = (byte)(a[i] | b[i]);
        }

        return result;
    }

    public static Bytes ShiftRightLogical16(Bytes a, int count)
    {
        Bytes result = default;
        for (var i = 0; i < 32; i++)
        {
            result.SetI16(i, (short)((ushort)a.I16(i) >> count));
        }

        return result;
    }

    public static Bytes ShiftLeft16(Bytes a, int count)
    {
        Bytes result = default;
        for (var i = 0; i < 32; i++)
        {
            result.SetI16(i, (short)(a.I16(i) << count));
        }

        return result;
    }

    public static Bytes ShiftRightArithmetic16(Bytes a, int count)
    {
        Bytes result = default;
        for (var i = 0; i < 32; i++)
        {
            result.SetI16(i, (short)(a.I16(i) >> count));
        }

        return result;
    }

    public static Bytes ShiftLeft32(Bytes a, int count)
    {
        Bytes result = default;
        for (var i = 0; i < Lanes; i++)
        {
            result.SetI32(i, a.I32(i) << count);
        }

        return result;
    }

    public static Bytes MaddU8S8(Bytes unsigned, Bytes signed)
    {
        Bytes result = default;
        for (var i = 0; i < 32; i++)
        {
            result.SetI16(i, checked((short)((unsigned[2 * i] * (sbyte)signed[2 * i]) + (unsigned[(2 * i) + 1] * (sbyte)signed[(2 * i) + 1]))));
        }

        return result;
    }

    public static Bytes MaddI16(Bytes a, Bytes b)
    {
        Bytes result = default;
        for (var i = 0; i < Lanes; i++)
        {
            result.SetI32(i, (a.I16(2 * i) * b.I16(2 * i)) + (a.I16((2 * i) + 1) * b.I16((2 * i) + 1)));
        }

        return result;
    }

    public static Bytes DotU8S8(Bytes accumulator, Bytes unsigned, Bytes signed)
    {
        for (var i = 0; i < 64; i++)
        {
            accumulator.SetI32(i / 4, accumulator.I32(i / 4) + (unsigned[i] * (sbyte)signed[i]));
        }

        return accumulator;
    }

    public static Bytes AddI16(Bytes a, Bytes b)
    {
        Bytes result = default;
        for (var i = 0; i < 32; i++)
        {
            result.SetI16(i, checked((short)(a.I16(i) + b.I16(i))));
        }

        return result;
    }

    public static Bytes AddI32(Bytes a, Bytes b)
    {
        Bytes result = default;
        for (var i = 0; i < Lanes; i++)
        {
            result.SetI32(i, a.I32(i) + b.I32(i));
        }

        return result;
    }

    public static Bytes SubI32(Bytes a, Bytes b)
    {
        Bytes result = default;
        for (var i = 0; i < Lanes; i++)
        {
            result.SetI32(i, a.I32(i) - b.I32(i));
        }

        return result;
    }

    public static Floats ToFloat(Bytes ints)
    {
        Floats result = default;
        for (var i = 0; i < Lanes; i++)
        {
            result[i] = ints.I32(i);
        }

        return result;
    }

    public static Bytes AsBits(Floats value) => Unsafe.BitCast<Floats, Bytes>(value);

    public static Floats AsFloats(Bytes bits) => Unsafe.BitCast<Bytes, Floats>(bits);

    public static int SumI32(Bytes ints)
    {
        var sum = 0;
        for (var i = 0; i < Lanes; i++)
        {
            sum += ints.I32(i);
        }

        return sum;
    }

    public static void StoreS8(sbyte* target, Bytes ints)
    {
        for (var i = 0; i < Lanes; i++)
        {
            target[i] = (sbyte)ints.I32(i);
        }
    }

    public static void StoreI16(short* target, Bytes ints)
    {
        for (var i = 0; i < Lanes; i++)
        {
            target[i] = (short)ints.I32(i);
        }
    }

    /// <summary>16 floats.</summary>
    [InlineArray(Lanes)]
    internal struct Floats
    {
        private float _first;
    }

    /// <summary>64 bytes, also seen as 32 shorts or 16 ints.</summary>
    [InlineArray(64)]
    internal struct Bytes
    {
        private byte _first;

        public readonly short I16(int index) => Unsafe.ReadUnaligned<short>(in this[index * 2]);

        public readonly int I32(int index) => Unsafe.ReadUnaligned<int>(in this[index * 4]);

        public void SetI16(int index, short value) => Unsafe.WriteUnaligned(ref this[index * 2], value);

        public void SetI32(int index, int value) => Unsafe.WriteUnaligned(ref this[index * 4], value);
    }
}
