using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using Parallax.Runtime.Numerics;

namespace Parallax.Runtime.Cpu.Simd;

/// <summary>AVX2 and FMA: 8 lanes; AVX-VNNI where there is one.</summary>
internal readonly unsafe struct Isa256 : IIsa<Vector256<float>, Vector256<int>>
{
    public static bool IsSupported => Avx2.IsSupported && System.Runtime.Intrinsics.X86.Fma.IsSupported;

    public static int Lanes
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => 8;
    }

    public static Vector256<float> Zero
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => Vector256<float>.Zero;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Broadcast(float value) => Vector256.Create(value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Load(float* source) => Vector256.Load(source);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(float* target, Vector256<float> value) => value.Store(target);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Add(Vector256<float> a, Vector256<float> b) => a + b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Sub(Vector256<float> a, Vector256<float> b) => a - b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Mul(Vector256<float> a, Vector256<float> b) => a * b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Div(Vector256<float> a, Vector256<float> b) => a / b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Fma(Vector256<float> a, Vector256<float> b, Vector256<float> c) =>
        System.Runtime.Intrinsics.X86.Fma.MultiplyAdd(a, b, c);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Max(Vector256<float> a, Vector256<float> b) => Vector256.Max(a, b);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Abs(Vector256<float> a) => Vector256.Abs(a);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> ZeroWhereLess(Vector256<float> x, Vector256<float> limit, Vector256<float> value) =>
        Vector256.AndNot(value, Vector256.LessThan(x, limit));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> LoadBf16(ushort* source) => (WidenU16(source) << 16).AsSingle();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> RoundBf16(Vector256<float> value)
    {
        var bits = value.AsUInt32();
        var rounded = bits + Vector256.Create(0x7FFFu) + ((bits >>> 16) & Vector256.Create(1u));
        var isNaN = Vector256.GreaterThan(bits & Vector256.Create(0x7FFF_FFFFu), Vector256.Create(0x7F80_0000u));
        var result = Vector256.ConditionalSelect(isNaN, bits | Vector256.Create(0x40_0000u), rounded);
        return (result & Vector256.Create(0xFFFF_0000u)).AsSingle();
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> LoadF16(ushort* source)
    {
        var wide = (WidenS16((short*)source) << 13) & Vector256.Create(unchecked((int)0x8FFF_E000));
        return wide.AsSingle() * Vector256.Create(HalfFloats.F16Rebias);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> LoadU8(byte* source) => Avx.ConvertToVector256Single(Avx2.ConvertToVector256Int32(source));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> LoadS8(sbyte* source) => Avx.ConvertToVector256Single(Avx2.ConvertToVector256Int32(source));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<int> BroadcastI(int value) => Vector256.Create(value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<int> AddI(Vector256<int> a, Vector256<int> b) => a + b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<int> SubI(Vector256<int> a, Vector256<int> b) => a - b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<int> ShiftLeft(Vector256<int> a, int count) => a << count;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> ToFloat(Vector256<int> ints) => Vector256.ConvertToSingle(ints);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<int> AsBits(Vector256<float> value) => value.AsInt32();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> AsFloats(Vector256<int> bits) => bits.AsSingle();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StoreI16(short* target, Vector256<int> ints) =>
        Vector128.Narrow(ints.GetLower(), ints.GetUpper()).Store(target);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void UnpackNibbles(byte* source, out Vector256<int> even, out Vector256<int> odd, out Vector256<int> evenHigh, out Vector256<int> oddHigh)
    {
        var packed = Vector256.Load((ushort*)source);
        var mask = Vector256.Create((ushort)15);
        even = (packed & mask).AsInt32();
        odd = ((packed >>> 8) & mask).AsInt32();
        evenHigh = ((packed >>> 4) & mask).AsInt32();
        oddHigh = (packed >>> 12).AsInt32();
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void UnpackBytes(byte* source, out Vector256<int> even, out Vector256<int> odd)
    {
        var packed = Vector256.Load((short*)source);
        even = ((packed << 8) >> 8).AsInt32();
        odd = (packed >> 8).AsInt32();
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<int> OrShifted(Vector256<int> value, byte* plane, int right, int left, int mask)
    {
        var shifted = (Vector256.Load((ushort*)plane) >>> right) << left;
        return value | (shifted & Vector256.Create((ushort)mask)).AsInt32();
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<int> Dot8(
        int* x, Vector256<int> a0, Vector256<int> a1, Vector256<int> a2, Vector256<int> a3, Vector256<int> a4, Vector256<int> a5, Vector256<int> a6, Vector256<int> a7)
    {
        if (AvxVnni.IsSupported)
        {
            var first = AvxVnni.MultiplyWideningAndAdd(Vector256<int>.Zero, a0.AsInt16(), Vector256.Create(x[0]).AsInt16());
            var second = AvxVnni.MultiplyWideningAndAdd(Vector256<int>.Zero, a1.AsInt16(), Vector256.Create(x[1]).AsInt16());
            first = AvxVnni.MultiplyWideningAndAdd(first, a2.AsInt16(), Vector256.Create(x[2]).AsInt16());
            second = AvxVnni.MultiplyWideningAndAdd(second, a3.AsInt16(), Vector256.Create(x[3]).AsInt16());
            first = AvxVnni.MultiplyWideningAndAdd(first, a4.AsInt16(), Vector256.Create(x[4]).AsInt16());
            second = AvxVnni.MultiplyWideningAndAdd(second, a5.AsInt16(), Vector256.Create(x[5]).AsInt16());
            first = AvxVnni.MultiplyWideningAndAdd(first, a6.AsInt16(), Vector256.Create(x[6]).AsInt16());
            second = AvxVnni.MultiplyWideningAndAdd(second, a7.AsInt16(), Vector256.Create(x[7]).AsInt16());
            return first + second;
        }

        var sum = Avx2.MultiplyAddAdjacent(a0.AsInt16(), Vector256.Create(x[0]).AsInt16());
        sum += Avx2.MultiplyAddAdjacent(a1.AsInt16(), Vector256.Create(x[1]).AsInt16());
        sum += Avx2.MultiplyAddAdjacent(a2.AsInt16(), Vector256.Create(x[2]).AsInt16());
        sum += Avx2.MultiplyAddAdjacent(a3.AsInt16(), Vector256.Create(x[3]).AsInt16());
        sum += Avx2.MultiplyAddAdjacent(a4.AsInt16(), Vector256.Create(x[4]).AsInt16());
        sum += Avx2.MultiplyAddAdjacent(a5.AsInt16(), Vector256.Create(x[5]).AsInt16());
        sum += Avx2.MultiplyAddAdjacent(a6.AsInt16(), Vector256.Create(x[6]).AsInt16());
        sum += Avx2.MultiplyAddAdjacent(a7.AsInt16(), Vector256.Create(x[7]).AsInt16());
        return sum;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<int> WidenU16(ushort* source) => Avx2.ConvertToVector256Int32(source);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<int> WidenS16(short* source) => Avx2.ConvertToVector256Int32(source);
}
