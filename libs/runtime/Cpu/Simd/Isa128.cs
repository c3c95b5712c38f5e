using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.Arm;
using System.Runtime.Intrinsics.X86;
using Parallax.Runtime.Numerics;

namespace Parallax.Runtime.Cpu.Simd;

/// <summary>SSE4.1 or Arm NEON: 4 lanes.</summary>
internal readonly unsafe struct Isa128 : IIsa<Vector128<float>, Vector128<int>>
{
    public static bool IsSupported => Sse41.IsSupported || AdvSimd.Arm64.IsSupported;

    public static int Lanes
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => 4;
    }

    public static Vector128<float> Zero
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => Vector128<float>.Zero;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> Broadcast(float value) => Vector128.Create(value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> Load(float* source) => Vector128.Load(source);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(float* target, Vector128<float> value) => value.Store(target);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> Add(Vector128<float> a, Vector128<float> b) => a + b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> Sub(Vector128<float> a, Vector128<float> b) => a - b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> Mul(Vector128<float> a, Vector128<float> b) => a * b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> Div(Vector128<float> a, Vector128<float> b) => a / b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> Fma(Vector128<float> a, Vector128<float> b, Vector128<float> c) =>
        Vector128.FusedMultiplyAdd(a, b, c);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> Max(Vector128<float> a, Vector128<float> b) => Vector128.Max(a, b);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> Abs(Vector128<float> a) => Vector128.Abs(a);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> ZeroWhereLess(Vector128<float> x, Vector128<float> limit, Vector128<float> value) =>
        Vector128.AndNot(value, Vector128.LessThan(x, limit));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> LoadBf16(ushort* source) => (WidenU16(source) << 16).AsSingle();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> RoundBf16(Vector128<float> value)
    {
        var bits = value.AsUInt32();
        var rounded = bits + Vector128.Create(0x7FFFu) + ((bits >>> 16) & Vector128.Create(1u));
        var isNaN = Vector128.GreaterThan(bits & Vector128.Create(0x7FFF_FFFFu), Vector128.Create(0x7F80_0000u));
        var result = Vector128.ConditionalSelect(isNaN, bits | Vector128.Create(0x40_0000u), rounded);
        return (result & Vector128.Create(0xFFFF_0000u)).AsSingle();
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> LoadF16(ushort* source)
    {
        var wide = (WidenS16((short*)source) << 13) & Vector128.Create(unchecked((int)0x8FFF_E000));
        return wide.AsSingle() * Vector128.Create(HalfFloats.F16Rebias);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> LoadU8(byte* source) =>
        Vector128.ConvertToSingle(Vector128.WidenLower(Vector128.WidenLower(Vector128.CreateScalarUnsafe(*(uint*)source).AsByte())).AsInt32());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> LoadS8(sbyte* source) =>
        Vector128.ConvertToSingle(Vector128.WidenLower(Vector128.WidenLower(Vector128.CreateScalarUnsafe(*(uint*)source).AsSByte())));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<int> BroadcastI(int value) => Vector128.Create(value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<int> AddI(Vector128<int> a, Vector128<int> b) => a + b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<int> SubI(Vector128<int> a, Vector128<int> b) => a - b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<int> ShiftLeft(Vector128<int> a, int count) => a << count;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> ToFloat(Vector128<int> ints) => Vector128.ConvertToSingle(ints);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<int> AsBits(Vector128<float> value) => value.AsInt32();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> AsFloats(Vector128<int> bits) => bits.AsSingle();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StoreI16(short* target, Vector128<int> ints) =>
        *(ulong*)target = Vector128.Narrow(ints, ints).AsUInt64().ToScalar();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void UnpackNibbles(byte* source, out Vector128<int> even, out Vector128<int> odd, out Vector128<int> evenHigh, out Vector128<int> oddHigh)
    {
        var packed = Vector128.Load((ushort*)source);
        var mask = Vector128.Create((ushort)15);
        even = (packed & mask).AsInt32();
        odd = ((packed >>> 8) & mask).AsInt32();
        evenHigh = ((packed >>> 4) & mask).AsInt32();
        oddHigh = (packed >>> 12).AsInt32();
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void UnpackBytes(byte* source, out Vector128<int> even, out Vector128<int> odd)
    {
        var packed = Vector128.Load((short*)source);
        even = ((packed << 8) >> 8).AsInt32();
        odd = (packed >> 8).AsInt32();
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<int> OrShifted(Vector128<int> value, byte* plane, int right, int left, int mask)
    {
        var shifted = (Vector128.Load((ushort*)plane) >>> right) << left;
        return value | (shifted & Vector128.Create((ushort)mask)).AsInt32();
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<int> Dot8(
        int* x, Vector128<int> a0, Vector128<int> a1, Vector128<int> a2, Vector128<int> a3, Vector128<int> a4, Vector128<int> a5, Vector128<int> a6, Vector128<int> a7)
    {
        var sum = Products(a0.AsInt16(), Vector128.Create(x[0]).AsInt16());
        sum += Products(a1.AsInt16(), Vector128.Create(x[1]).AsInt16());
        sum += Products(a2.AsInt16(), Vector128.Create(x[2]).AsInt16());
        sum += Products(a3.AsInt16(), Vector128.Create(x[3]).AsInt16());
        sum += Products(a4.AsInt16(), Vector128.Create(x[4]).AsInt16());
        sum += Products(a5.AsInt16(), Vector128.Create(x[5]).AsInt16());
        sum += Products(a6.AsInt16(), Vector128.Create(x[6]).AsInt16());
        sum += Products(a7.AsInt16(), Vector128.Create(x[7]).AsInt16());
        return sum;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<int> WidenU16(ushort* source) =>
        Vector128.WidenLower(Vector128.CreateScalarUnsafe(*(ulong*)source).AsUInt16()).AsInt32();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<int> WidenS16(short* source) =>
        Vector128.WidenLower(Vector128.CreateScalarUnsafe(*(ulong*)source).AsInt16());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<int> Products(Vector128<short> a, Vector128<short> x)
    {
        if (Sse2.IsSupported)
        {
            return Sse2.MultiplyAddAdjacent(a, x);
        }

        var low = AdvSimd.MultiplyWideningLower(a.GetLower(), x.GetLower());
        var high = AdvSimd.MultiplyWideningUpper(a, x);
        return AdvSimd.Arm64.AddPairwise(low, high);
    }
}
