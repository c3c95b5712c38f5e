using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using Parallax.Runtime.Numerics;

namespace Parallax.Runtime.Cpu.Simd;

/// <summary>AVX2 and FMA: two registers hold the 16 lanes.</summary>
internal readonly unsafe struct Isa256 : IIsa<Isa256.Floats, Isa256.Bytes>
{
    public static bool IsSupported => Avx2.IsSupported && System.Runtime.Intrinsics.X86.Fma.IsSupported;

    public static bool HasDotU8S8
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => AvxVnni.IsSupported;
    }

    public static Floats Zero
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => default;
    }

    public static Bytes ZeroB
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => default;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Floats Broadcast(float value) => new(Vector256.Create(value), Vector256.Create(value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Floats Load(float* source) => new(Vector256.Load(source + (0 * 8)), Vector256.Load(source + (1 * 8)));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(float* target, Floats value)
    {
        value.A.Store(target + (0 * 8));
        value.B.Store(target + (1 * 8));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Floats Add(Floats a, Floats b) => new(a.A + b.A, a.B + b.B);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Floats Sub(Floats a, Floats b) => new(a.A - b.A, a.B - b.B);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Floats Mul(Floats a, Floats b) => new(a.A * b.A, a.B * b.B);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Floats Div(Floats a, Floats b) => new(a.A / b.A, a.B / b.B);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Floats Fma(Floats a, Floats b, Floats c) => new(System.Runtime.Intrinsics.X86.Fma.MultiplyAdd(a.A, b.A, c.A), System.Runtime.Intrinsics.X86.Fma.MultiplyAdd(a.B, b.B, c.B));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Floats Max(Floats a, Floats b) => new(Vector256.Max(a.A, b.A), Vector256.Max(a.B, b.B));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Floats Abs(Floats a) => new(Vector256.Abs(a.A), Vector256.Abs(a.B));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Floats ZeroWhereLess(Floats x, Floats limit, Floats value) => new(Vector256.AndNot(value.A, Vector256.LessThan(x.A, limit.A)), Vector256.AndNot(value.B, Vector256.LessThan(x.B, limit.B)));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Floats LoadBf16(ushort* source) => new((WidenU16(source + (0 * 8)) << 16).AsSingle(), (WidenU16(source + (1 * 8)) << 16).AsSingle());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StoreBf16(ushort* target, Floats value)
    {
        NarrowU16(target + (0 * 8), RoundBf16(value.A.AsUInt32()));
        NarrowU16(target + (1 * 8), RoundBf16(value.B.AsUInt32()));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Floats LoadF16(ushort* source) => new(ExpandF16(WidenS16((short*)source + (0 * 8))), ExpandF16(WidenS16((short*)source + (1 * 8))));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Floats LoadU8(byte* source) => new(Vector256.ConvertToSingle(WidenU8(source + (0 * 8))), Vector256.ConvertToSingle(WidenU8(source + (1 * 8))));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Floats LoadS8(sbyte* source) => new(Vector256.ConvertToSingle(WidenS8(source + (0 * 8))), Vector256.ConvertToSingle(WidenS8(source + (1 * 8))));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Bytes LoadB(byte* source) => new(Vector256.Load(source + (0 * 32)), Vector256.Load(source + (1 * 32)));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Bytes Broadcast32(int value) => new(Vector256.Create(value).AsByte(), Vector256.Create(value).AsByte());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Bytes And(Bytes a, Bytes b) => new(a.A & b.A, a.B & b.B);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Bytes Or(Bytes a, Bytes b) => new(a.A | b.A, a.B | b.B);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Bytes ShiftRightLogical16(Bytes a, int count) => new((a.A.AsUInt16() >>> count).AsByte(), (a.B.AsUInt16() >>> count).AsByte());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Bytes ShiftLeft16(Bytes a, int count) => new((a.A.AsUInt16() << count).AsByte(), (a.B.AsUInt16() << count).AsByte());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Bytes ShiftRightArithmetic16(Bytes a, int count) => new((a.A.AsInt16() >> count).AsByte(), (a.B.AsInt16() >> count).AsByte());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Bytes ShiftLeft32(Bytes a, int count) => new((a.A.AsInt32() << count).AsByte(), (a.B.AsInt32() << count).AsByte());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Bytes MaddU8S8(Bytes unsigned, Bytes signed) => new(MaddU8S8(unsigned.A, signed.A), MaddU8S8(unsigned.B, signed.B));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Bytes MaddI16(Bytes a, Bytes b) => new(MaddI16(a.A.AsInt16(), b.A.AsInt16()), MaddI16(a.B.AsInt16(), b.B.AsInt16()));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Bytes DotU8S8(Bytes accumulator, Bytes unsigned, Bytes signed) => new(DotU8S8(accumulator.A, unsigned.A, signed.A), DotU8S8(accumulator.B, unsigned.B, signed.B));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Bytes AddI16(Bytes a, Bytes b) => new((a.A.AsInt16() + b.A.AsInt16()).AsByte(), (a.B.AsInt16() + b.B.AsInt16()).AsByte());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Bytes AddI32(Bytes a, Bytes b) => new((a.A.AsInt32() + b.A.AsInt32()).AsByte(), (a.B.AsInt32() + b.B.AsInt32()).AsByte());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Bytes SubI32(Bytes a, Bytes b) => new((a.A.AsInt32() - b.A.AsInt32()).AsByte(), (a.B.AsInt32() - b.B.AsInt32()).AsByte());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Floats ToFloat(Bytes ints) => new(Vector256.ConvertToSingle(ints.A.AsInt32()), Vector256.ConvertToSingle(ints.B.AsInt32()));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Bytes AsBits(Floats value) => new(value.A.AsByte(), value.B.AsByte());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Floats AsFloats(Bytes bits) => new(bits.A.AsSingle(), bits.B.AsSingle());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int SumI32(Bytes ints) =>
        Vector256.Sum(ints.A.AsInt32() + ints.B.AsInt32());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Sum(Floats a) => Isa128.SumTree(Halve(a.A + a.B));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float MaxAcross(Floats a)
    {
        var v = Vector256.Max(a.A, a.B);
        return Isa128.MaxTree(Vector128.Max(v.GetLower(), v.GetUpper()));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StoreS8(sbyte* target, Bytes ints)
    {
        var shorts = Vector256.Narrow(ints.A.AsInt32(), ints.B.AsInt32());
        Vector128.Narrow(shorts.GetLower(), shorts.GetUpper()).Store(target);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StoreI16(short* target, Bytes ints) =>
        Vector256.Narrow(ints.A.AsInt32(), ints.B.AsInt32()).Store(target);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static Vector128<float> Halve(Vector256<float> a) => a.GetLower() + a.GetUpper();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<int> WidenU16(ushort* source) => Avx2.ConvertToVector256Int32(Vector128.Load(source));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<int> WidenS16(short* source) => Avx2.ConvertToVector256Int32(Vector128.Load(source));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<int> WidenU8(byte* source) => Avx2.ConvertToVector256Int32(source);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<int> WidenS8(sbyte* source) => Avx2.ConvertToVector256Int32(source);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void NarrowU16(ushort* target, Vector256<uint> value) =>
        Vector128.Narrow(value.GetLower(), value.GetUpper()).Store(target);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<uint> RoundBf16(Vector256<uint> bits)
    {
        var rounded = bits + Vector256.Create(0x7FFFu) + ((bits >>> 16) & Vector256.Create(1u));
        var isNaN = Vector256.GreaterThan(bits & Vector256.Create(0x7FFF_FFFFu), Vector256.Create(0x7F80_0000u));
        return Vector256.ConditionalSelect(isNaN, bits | Vector256.Create(0x40_0000u), rounded) >>> 16;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<float> ExpandF16(Vector256<int> wide) =>
        ((wide << 13) & Vector256.Create(unchecked((int)0x8FFF_E000))).AsSingle() * Vector256.Create(HalfFloats.F16Rebias);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<byte> MaddU8S8(Vector256<byte> unsigned, Vector256<byte> signed) =>
        Avx2.MultiplyAddAdjacent(unsigned, signed.AsSByte()).AsByte();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<byte> MaddI16(Vector256<short> a, Vector256<short> b) =>
        Avx2.MultiplyAddAdjacent(a, b).AsByte();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<byte> DotU8S8(Vector256<byte> accumulator, Vector256<byte> unsigned, Vector256<byte> signed) =>
        AvxVnni.MultiplyWideningAndAdd(accumulator.AsInt32(), unsigned, signed.AsSByte()).AsByte();

    /// <summary>16 floats in 2 registers.</summary>
    internal readonly struct Floats(Vector256<float> a, Vector256<float> b)
    {
        public readonly Vector256<float> A = a;
        public readonly Vector256<float> B = b;
    }

    /// <summary>64 bytes in 2 registers.</summary>
    internal readonly struct Bytes(Vector256<byte> a, Vector256<byte> b)
    {
        public readonly Vector256<byte> A = a;
        public readonly Vector256<byte> B = b;
    }
}
