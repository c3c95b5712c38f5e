using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.Arm;
using System.Runtime.Intrinsics.X86;
using Parallax.Runtime.Numerics;

namespace Parallax.Runtime.Cpu.Simd;

/// <summary>SSE or Arm NEON: four registers hold the 16 lanes.</summary>
internal readonly unsafe struct Isa128 : IIsa<Isa128.Floats, Isa128.Bytes>
{
    public static bool IsSupported => Vector128.IsHardwareAccelerated && (Ssse3.IsSupported || AdvSimd.Arm64.IsSupported);

    public static bool HasDotU8S8
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => Dp.IsSupported;
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
    public static Floats Broadcast(float value) => new(Vector128.Create(value), Vector128.Create(value), Vector128.Create(value), Vector128.Create(value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Floats Load(float* source) => new(Vector128.Load(source + (0 * 4)), Vector128.Load(source + (1 * 4)), Vector128.Load(source + (2 * 4)), Vector128.Load(source + (3 * 4)));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(float* target, Floats value)
    {
        value.A.Store(target + (0 * 4));
        value.B.Store(target + (1 * 4));
        value.C.Store(target + (2 * 4));
        value.D.Store(target + (3 * 4));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Floats Add(Floats a, Floats b) => new(a.A + b.A, a.B + b.B, a.C + b.C, a.D + b.D);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Floats Sub(Floats a, Floats b) => new(a.A - b.A, a.B - b.B, a.C - b.C, a.D - b.D);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Floats Mul(Floats a, Floats b) => new(a.A * b.A, a.B * b.B, a.C * b.C, a.D * b.D);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Floats Div(Floats a, Floats b) => new(a.A / b.A, a.B / b.B, a.C / b.C, a.D / b.D);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Floats Fma(Floats a, Floats b, Floats c) => new(Vector128.FusedMultiplyAdd(a.A, b.A, c.A), Vector128.FusedMultiplyAdd(a.B, b.B, c.B), Vector128.FusedMultiplyAdd(a.C, b.C, c.C), Vector128.FusedMultiplyAdd(a.D, b.D, c.D));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Floats Max(Floats a, Floats b) => new(Vector128.Max(a.A, b.A), Vector128.Max(a.B, b.B), Vector128.Max(a.C, b.C), Vector128.Max(a.D, b.D));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Floats Abs(Floats a) => new(Vector128.Abs(a.A), Vector128.Abs(a.B), Vector128.Abs(a.C), Vector128.Abs(a.D));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Floats ZeroWhereLess(Floats x, Floats limit, Floats value) => new(Vector128.AndNot(value.A, Vector128.LessThan(x.A, limit.A)), Vector128.AndNot(value.B, Vector128.LessThan(x.B, limit.B)), Vector128.AndNot(value.C, Vector128.LessThan(x.C, limit.C)), Vector128.AndNot(value.D, Vector128.LessThan(x.D, limit.D)));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Floats LoadBf16(ushort* source) => new((WidenU16(source + (0 * 4)) << 16).AsSingle(), (WidenU16(source + (1 * 4)) << 16).AsSingle(), (WidenU16(source + (2 * 4)) << 16).AsSingle(), (WidenU16(source + (3 * 4)) << 16).AsSingle());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StoreBf16(ushort* target, Floats value)
    {
        NarrowU16(target + (0 * 4), RoundBf16(value.A.AsUInt32()));
        NarrowU16(target + (1 * 4), RoundBf16(value.B.AsUInt32()));
        NarrowU16(target + (2 * 4), RoundBf16(value.C.AsUInt32()));
        NarrowU16(target + (3 * 4), RoundBf16(value.D.AsUInt32()));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Floats LoadF16(ushort* source) => new(ExpandF16(WidenS16((short*)source + (0 * 4))), ExpandF16(WidenS16((short*)source + (1 * 4))), ExpandF16(WidenS16((short*)source + (2 * 4))), ExpandF16(WidenS16((short*)source + (3 * 4))));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Floats LoadU8(byte* source) => new(Vector128.ConvertToSingle(WidenU8(source + (0 * 4))), Vector128.ConvertToSingle(WidenU8(source + (1 * 4))), Vector128.ConvertToSingle(WidenU8(source + (2 * 4))), Vector128.ConvertToSingle(WidenU8(source + (3 * 4))));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Floats LoadS8(sbyte* source) => new(Vector128.ConvertToSingle(WidenS8(source + (0 * 4))), Vector128.ConvertToSingle(WidenS8(source + (1 * 4))), Vector128.ConvertToSingle(WidenS8(source + (2 * 4))), Vector128.ConvertToSingle(WidenS8(source + (3 * 4))));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Bytes LoadB(byte* source) => new(Vector128.Load(source + (0 * 16)), Vector128.Load(source + (1 * 16)), Vector128.Load(source + (2 * 16)), Vector128.Load(source + (3 * 16)));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Bytes Broadcast32(int value) => new(Vector128.Create(value).AsByte(), Vector128.Create(value).AsByte(), Vector128.Create(value).AsByte(), Vector128.Create(value).AsByte());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Bytes And(Bytes a, Bytes b) => new(a.A & b.A, a.B & b.B, a.C & b.C, a.D & b.D);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Bytes Or(Bytes a, Bytes b) => new(a.A | b.A, a.B | b.B, a.C | b.C, a.D | b.D);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Bytes ShiftRightLogical16(Bytes a, int count) => new((a.A.AsUInt16() >>> count).AsByte(), (a.B.AsUInt16() >>> count).AsByte(), (a.C.AsUInt16() >>> count).AsByte(), (a.D.AsUInt16() >>> count).AsByte());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Bytes ShiftLeft16(Bytes a, int count) => new((a.A.AsUInt16() << count).AsByte(), (a.B.AsUInt16() << count).AsByte(), (a.C.AsUInt16() << count).AsByte(), (a.D.AsUInt16() << count).AsByte());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Bytes ShiftRightArithmetic16(Bytes a, int count) => new((a.A.AsInt16() >> count).AsByte(), (a.B.AsInt16() >> count).AsByte(), (a.C.AsInt16() >> count).AsByte(), (a.D.AsInt16() >> count).AsByte());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Bytes ShiftLeft32(Bytes a, int count) => new((a.A.AsInt32() << count).AsByte(), (a.B.AsInt32() << count).AsByte(), (a.C.AsInt32() << count).AsByte(), (a.D.AsInt32() << count).AsByte());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Bytes MaddU8S8(Bytes unsigned, Bytes signed) => new(MaddU8S8(unsigned.A, signed.A), MaddU8S8(unsigned.B, signed.B), MaddU8S8(unsigned.C, signed.C), MaddU8S8(unsigned.D, signed.D));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Bytes MaddI16(Bytes a, Bytes b) => new(MaddI16(a.A.AsInt16(), b.A.AsInt16()), MaddI16(a.B.AsInt16(), b.B.AsInt16()), MaddI16(a.C.AsInt16(), b.C.AsInt16()), MaddI16(a.D.AsInt16(), b.D.AsInt16()));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Bytes DotU8S8(Bytes accumulator, Bytes unsigned, Bytes signed) => new(DotU8S8(accumulator.A, unsigned.A, signed.A), DotU8S8(accumulator.B, unsigned.B, signed.B), DotU8S8(accumulator.C, unsigned.C, signed.C), DotU8S8(accumulator.D, unsigned.D, signed.D));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Bytes AddI16(Bytes a, Bytes b) => new((a.A.AsInt16() + b.A.AsInt16()).AsByte(), (a.B.AsInt16() + b.B.AsInt16()).AsByte(), (a.C.AsInt16() + b.C.AsInt16()).AsByte(), (a.D.AsInt16() + b.D.AsInt16()).AsByte());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Bytes AddI32(Bytes a, Bytes b) => new((a.A.AsInt32() + b.A.AsInt32()).AsByte(), (a.B.AsInt32() + b.B.AsInt32()).AsByte(), (a.C.AsInt32() + b.C.AsInt32()).AsByte(), (a.D.AsInt32() + b.D.AsInt32()).AsByte());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Bytes SubI32(Bytes a, Bytes b) => new((a.A.AsInt32() - b.A.AsInt32()).AsByte(), (a.B.AsInt32() - b.B.AsInt32()).AsByte(), (a.C.AsInt32() - b.C.AsInt32()).AsByte(), (a.D.AsInt32() - b.D.AsInt32()).AsByte());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Floats ToFloat(Bytes ints) => new(Vector128.ConvertToSingle(ints.A.AsInt32()), Vector128.ConvertToSingle(ints.B.AsInt32()), Vector128.ConvertToSingle(ints.C.AsInt32()), Vector128.ConvertToSingle(ints.D.AsInt32()));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Bytes AsBits(Floats value) => new(value.A.AsByte(), value.B.AsByte(), value.C.AsByte(), value.D.AsByte());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Floats AsFloats(Bytes bits) => new(bits.A.AsSingle(), bits.B.AsSingle(), bits.C.AsSingle(), bits.D.AsSingle());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int SumI32(Bytes ints) =>
        Vector128.Sum(ints.A.AsInt32() + ints.B.AsInt32() + ints.C.AsInt32() + ints.D.AsInt32());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Sum(Floats a) => SumTree((a.A + a.C) + (a.B + a.D));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float MaxAcross(Floats a) => MaxTree(Vector128.Max(Vector128.Max(a.A, a.C), Vector128.Max(a.B, a.D)));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StoreS8(sbyte* target, Bytes ints) =>
        Vector128.Narrow(
            Vector128.Narrow(ints.A.AsInt32(), ints.B.AsInt32()),
            Vector128.Narrow(ints.C.AsInt32(), ints.D.AsInt32())).Store(target);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StoreI16(short* target, Bytes ints)
    {
        Vector128.Narrow(ints.A.AsInt32(), ints.B.AsInt32()).Store(target);
        Vector128.Narrow(ints.C.AsInt32(), ints.D.AsInt32()).Store(target + 8);
    }

    /// <summary>The last steps of the reduction tree: 4 -> 2 -> 1.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static float SumTree(Vector128<float> v)
    {
        var pairs = v + Vector128.Shuffle(v, Vector128.Create(2, 3, 2, 3));
        return pairs.GetElement(0) + pairs.GetElement(1);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static float MaxTree(Vector128<float> v)
    {
        var pairs = Vector128.Max(v, Vector128.Shuffle(v, Vector128.Create(2, 3, 2, 3)));
        return Math.Max(pairs.GetElement(0), pairs.GetElement(1));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<int> WidenU16(ushort* source) =>
        Vector128.WidenLower(Vector128.CreateScalarUnsafe(*(ulong*)source).AsUInt16()).AsInt32();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<int> WidenS16(short* source) =>
        Vector128.WidenLower(Vector128.CreateScalarUnsafe(*(ulong*)source).AsInt16());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<int> WidenU8(byte* source) =>
        Vector128.WidenLower(Vector128.WidenLower(Vector128.CreateScalarUnsafe(*(uint*)source).AsByte())).AsInt32();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<int> WidenS8(sbyte* source) =>
        Vector128.WidenLower(Vector128.WidenLower(Vector128.CreateScalarUnsafe(*(uint*)source).AsSByte()));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void NarrowU16(ushort* target, Vector128<uint> value) =>
        *(ulong*)target = Vector128.Narrow(value, value).AsUInt64().ToScalar();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<uint> RoundBf16(Vector128<uint> bits)
    {
        var rounded = bits + Vector128.Create(0x7FFFu) + ((bits >>> 16) & Vector128.Create(1u));
        var isNaN = Vector128.GreaterThan(bits & Vector128.Create(0x7FFF_FFFFu), Vector128.Create(0x7F80_0000u));
        return Vector128.ConditionalSelect(isNaN, bits | Vector128.Create(0x40_0000u), rounded) >>> 16;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<float> ExpandF16(Vector128<int> wide) =>
        ((wide << 13) & Vector128.Create(unchecked((int)0x8FFF_E000))).AsSingle() * Vector128.Create(HalfFloats.F16Rebias);

    // Arm: every unsigned operand is at most 127 here, so signed products are the same.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<byte> MaddU8S8(Vector128<byte> unsigned, Vector128<byte> signed)
    {
        if (Ssse3.IsSupported)
        {
            return Ssse3.MultiplyAddAdjacent(unsigned, signed.AsSByte()).AsByte();
        }

        var low = AdvSimd.MultiplyWideningLower(unsigned.AsSByte().GetLower(), signed.AsSByte().GetLower());
        var high = AdvSimd.MultiplyWideningUpper(unsigned.AsSByte(), signed.AsSByte());
        return AdvSimd.Arm64.AddPairwise(low, high).AsByte();
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<byte> MaddI16(Vector128<short> a, Vector128<short> b)
    {
        if (Sse2.IsSupported)
        {
            return Sse2.MultiplyAddAdjacent(a, b).AsByte();
        }

        var low = AdvSimd.MultiplyWideningLower(a.GetLower(), b.GetLower());
        var high = AdvSimd.MultiplyWideningUpper(a, b);
        return AdvSimd.Arm64.AddPairwise(low, high).AsByte();
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<byte> DotU8S8(Vector128<byte> accumulator, Vector128<byte> unsigned, Vector128<byte> signed) =>
        Dp.DotProduct(accumulator.AsInt32(), unsigned.AsSByte(), signed.AsSByte()).AsByte();

    /// <summary>16 floats in 4 registers.</summary>
    internal readonly struct Floats(Vector128<float> a, Vector128<float> b, Vector128<float> c, Vector128<float> d)
    {
        public readonly Vector128<float> A = a;
        public readonly Vector128<float> B = b;
        public readonly Vector128<float> C = c;
        public readonly Vector128<float> D = d;
    }

    /// <summary>64 bytes in 4 registers.</summary>
    internal readonly struct Bytes(Vector128<byte> a, Vector128<byte> b, Vector128<byte> c, Vector128<byte> d)
    {
        public readonly Vector128<byte> A = a;
        public readonly Vector128<byte> B = b;
        public readonly Vector128<byte> C = c;
        public readonly Vector128<byte> D = d;
    }
}
