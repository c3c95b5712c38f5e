using Parallax.Runtime.Cpu.Simd;

namespace Parallax.UnitTests.Cpu.Kernels;

/// <summary>
/// Broken on purpose: an instruction set whose multiply-add rounds twice, as a machine without a fused one would be
/// tempted to. Everything else is the inner set's.
/// </summary>
internal readonly unsafe struct UnfusedIsa<TIsa, TF, TI> : IIsa<TF, TI>
    where TIsa : struct, IIsa<TF, TI>
    where TF : unmanaged
    where TI : unmanaged
{
    public static bool IsSupported => TIsa.IsSupported;

    public static int Lanes => TIsa.Lanes;

    public static TF Zero => TIsa.Zero;

    public static TF Broadcast(float value) => TIsa.Broadcast(value);

    public static TF Load(float* source) => TIsa.Load(source);

    public static void Store(float* target, TF value) => TIsa.Store(target, value);

    public static TF Add(TF a, TF b) => TIsa.Add(a, b);

    public static TF Sub(TF a, TF b) => TIsa.Sub(a, b);

    public static TF Mul(TF a, TF b) => TIsa.Mul(a, b);

    public static TF Div(TF a, TF b) => TIsa.Div(a, b);

    public static TF Fma(TF a, TF b, TF c) => TIsa.Add(TIsa.Mul(a, b), c);

    public static TF Max(TF a, TF b) => TIsa.Max(a, b);

    public static TF Abs(TF a) => TIsa.Abs(a);

    public static TF ZeroWhereLess(TF x, TF limit, TF value) => TIsa.ZeroWhereLess(x, limit, value);

    public static TF LoadBf16(ushort* source) => TIsa.LoadBf16(source);

    public static TF RoundBf16(TF value) => TIsa.RoundBf16(value);

    public static TF LoadF16(ushort* source) => TIsa.LoadF16(source);

    public static TF LoadU8(byte* source) => TIsa.LoadU8(source);

    public static TF LoadS8(sbyte* source) => TIsa.LoadS8(source);

    public static TI BroadcastI(int value) => TIsa.BroadcastI(value);

    public static TI AddI(TI a, TI b) => TIsa.AddI(a, b);

    public static TI SubI(TI a, TI b) => TIsa.SubI(a, b);

    public static TI ShiftLeft(TI a, int count) => TIsa.ShiftLeft(a, count);

    public static TF ToFloat(TI ints) => TIsa.ToFloat(ints);

    public static TI AsBits(TF value) => TIsa.AsBits(value);

    public static TF AsFloats(TI bits) => TIsa.AsFloats(bits);

    public static void StoreI16(short* target, TI ints) => TIsa.StoreI16(target, ints);

    public static void UnpackNibbles(byte* source, out TI even, out TI odd, out TI evenHigh, out TI oddHigh) =>
        TIsa.UnpackNibbles(source, out even, out odd, out evenHigh, out oddHigh);

    public static void UnpackBytes(byte* source, out TI even, out TI odd) => TIsa.UnpackBytes(source, out even, out odd);

    public static TI OrShifted(TI value, byte* plane, int right, int left, int mask) => TIsa.OrShifted(value, plane, right, left, mask);

    public static TI Dot8(int* x, TI a0, TI a1, TI a2, TI a3, TI a4, TI a5, TI a6, TI a7) =>
        TIsa.Dot8(x, a0, a1, a2, a3, a4, a5, a6, a7);
}
