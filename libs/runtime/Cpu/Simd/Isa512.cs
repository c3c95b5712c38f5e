using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using Parallax.Runtime.Numerics;

namespace Parallax.Runtime.Cpu.Simd;

/// <summary>AVX-512 (F, BW, DQ, VL): 16 lanes.</summary>
internal readonly unsafe struct Isa512 : IIsa<Vector512<float>, Vector512<int>>
{
    public static bool IsSupported => Avx512BW.IsSupported && Avx512DQ.IsSupported && Avx512F.VL.IsSupported;

    public static int Lanes
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => 16;
    }

    public static Vector512<float> Zero
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => Vector512<float>.Zero;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Broadcast(float value) => Vector512.Create(value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Load(float* source) => Vector512.Load(source);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(float* target, Vector512<float> value) => value.Store(target);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Add(Vector512<float> a, Vector512<float> b) => a + b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Sub(Vector512<float> a, Vector512<float> b) => a - b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Mul(Vector512<float> a, Vector512<float> b) => a * b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Div(Vector512<float> a, Vector512<float> b) => a / b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Fma(Vector512<float> a, Vector512<float> b, Vector512<float> c) =>
        Avx512F.FusedMultiplyAdd(a, b, c);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Max(Vector512<float> a, Vector512<float> b) => Vector512.Max(a, b);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Abs(Vector512<float> a) => Vector512.Abs(a);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> ZeroWhereLess(Vector512<float> x, Vector512<float> limit, Vector512<float> value) =>
        Vector512.AndNot(value, Vector512.LessThan(x, limit));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> LoadBf16(ushort* source) => (WidenU16(source) << 16).AsSingle();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> RoundBf16(Vector512<float> value)
    {
        var bits = value.AsUInt32();
        var rounded = bits + Vector512.Create(0x7FFFu) + ((bits >>> 16) & Vector512.Create(1u));
        var isNaN = Vector512.GreaterThan(bits & Vector512.Create(0x7FFF_FFFFu), Vector512.Create(0x7F80_0000u));
        var result = Vector512.ConditionalSelect(isNaN, bits | Vector512.Create(0x40_0000u), rounded);
        return (result & Vector512.Create(0xFFFF_0000u)).AsSingle();
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> LoadF16(ushort* source)
    {
        var wide = (WidenS16((short*)source) << 13) & Vector512.Create(unchecked((int)0x8FFF_E000));
        return wide.AsSingle() * Vector512.Create(HalfFloats.F16Rebias);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> LoadU8(byte* source) =>
        Avx512F.ConvertToVector512Single(Avx512F.ConvertToVector512Int32(Vector128.Load(source)));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> LoadS8(sbyte* source) =>
        Avx512F.ConvertToVector512Single(Avx512F.ConvertToVector512Int32(Vector128.Load(source)));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<int> BroadcastI(int value) => Vector512.Create(value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<int> AddI(Vector512<int> a, Vector512<int> b) => a + b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<int> SubI(Vector512<int> a, Vector512<int> b) => a - b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<int> ShiftLeft(Vector512<int> a, int count) => a << count;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> ToFloat(Vector512<int> ints) => Vector512.ConvertToSingle(ints);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<int> AsBits(Vector512<float> value) => value.AsInt32();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> AsFloats(Vector512<int> bits) => bits.AsSingle();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StoreI16(short* target, Vector512<int> ints) => Avx512F.ConvertToVector256Int16(ints).Store(target);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void UnpackNibbles(byte* source, out Vector512<int> even, out Vector512<int> odd, out Vector512<int> evenHigh, out Vector512<int> oddHigh)
    {
        var packed = Vector512.Load((ushort*)source);
        var mask = Vector512.Create((ushort)15);
        even = (packed & mask).AsInt32();
        odd = ((packed >>> 8) & mask).AsInt32();
        evenHigh = ((packed >>> 4) & mask).AsInt32();
        oddHigh = (packed >>> 12).AsInt32();
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void UnpackBytes(byte* source, out Vector512<int> even, out Vector512<int> odd)
    {
        var packed = Vector512.Load((short*)source);
        even = ((packed << 8) >> 8).AsInt32();
        odd = (packed >> 8).AsInt32();
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<int> OrShifted(Vector512<int> value, byte* plane, int right, int left, int mask)
    {
        var shifted = (Vector512.Load((ushort*)plane) >>> right) << left;
        return value | (shifted & Vector512.Create((ushort)mask)).AsInt32();
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<int> Dot8(
        int* x, Vector512<int> a0, Vector512<int> a1, Vector512<int> a2, Vector512<int> a3, Vector512<int> a4, Vector512<int> a5, Vector512<int> a6, Vector512<int> a7)
    {
        var sum = Avx512BW.MultiplyAddAdjacent(a0.AsInt16(), Vector512.Create(x[0]).AsInt16());
        sum += Avx512BW.MultiplyAddAdjacent(a1.AsInt16(), Vector512.Create(x[1]).AsInt16());
        sum += Avx512BW.MultiplyAddAdjacent(a2.AsInt16(), Vector512.Create(x[2]).AsInt16());
        sum += Avx512BW.MultiplyAddAdjacent(a3.AsInt16(), Vector512.Create(x[3]).AsInt16());
        sum += Avx512BW.MultiplyAddAdjacent(a4.AsInt16(), Vector512.Create(x[4]).AsInt16());
        sum += Avx512BW.MultiplyAddAdjacent(a5.AsInt16(), Vector512.Create(x[5]).AsInt16());
        sum += Avx512BW.MultiplyAddAdjacent(a6.AsInt16(), Vector512.Create(x[6]).AsInt16());
        sum += Avx512BW.MultiplyAddAdjacent(a7.AsInt16(), Vector512.Create(x[7]).AsInt16());
        return sum;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<int> WidenU16(ushort* source) => Avx512F.ConvertToVector512Int32(Vector256.Load(source));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<int> WidenS16(short* source) => Avx512F.ConvertToVector512Int32(Vector256.Load(source));
}
