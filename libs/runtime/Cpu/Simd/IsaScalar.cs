using Parallax.Runtime.Numerics;

namespace Parallax.Runtime.Cpu.Simd;

/// <summary>
/// The executable form of docs/numerics.md: one lane, no vector instruction. Slow; for tests, and for machines without a
/// vector unit.
/// </summary>
internal readonly unsafe struct IsaScalar : IIsa<float, int>
{
    public static bool IsSupported => true;

    public static int Lanes => 1;

    public static float Zero => 0f;

    public static float Broadcast(float value) => value;

    public static float Load(float* source) => *source;

    public static void Store(float* target, float value) => *target = value;

    public static float Add(float a, float b) => a + b;

    public static float Sub(float a, float b) => a - b;

    public static float Mul(float a, float b) => a * b;

    public static float Div(float a, float b) => a / b;

    public static float Fma(float a, float b, float c) => MathF.FusedMultiplyAdd(a, b, c);

    public static float Max(float a, float b) => Math.Max(a, b);

    public static float Abs(float a) => Math.Abs(a);

    public static float ZeroWhereLess(float x, float limit, float value) => x < limit ? 0f : value;

    public static float LoadBf16(ushort* source) => HalfFloats.FromBf16(*source);

    public static float RoundBf16(float value) => HalfFloats.RoundToBf16(value);

    public static float LoadF16(ushort* source) => HalfFloats.FromF16Finite(*source);

    public static float LoadU8(byte* source) => *source;

    public static float LoadS8(sbyte* source) => *source;

    public static int BroadcastI(int value) => value;

    public static int AddI(int a, int b) => a + b;

    public static int SubI(int a, int b) => a - b;

    public static int ShiftLeft(int a, int count) => a << count;

    public static float ToFloat(int ints) => ints;

    public static int AsBits(float value) => BitConverter.SingleToInt32Bits(value);

    public static float AsFloats(int bits) => BitConverter.Int32BitsToSingle(bits);

    public static void StoreI16(short* target, int ints) => *target = (short)ints;

    public static void UnpackNibbles(byte* source, out int even, out int odd, out int evenHigh, out int oddHigh)
    {
        even = Pair(source[0] & 15, source[2] & 15);
        odd = Pair(source[1] & 15, source[3] & 15);
        evenHigh = Pair(source[0] >> 4, source[2] >> 4);
        oddHigh = Pair(source[1] >> 4, source[3] >> 4);
    }

    public static void UnpackBytes(byte* source, out int even, out int odd)
    {
        even = Pair((sbyte)source[0], (sbyte)source[2]);
        odd = Pair((sbyte)source[1], (sbyte)source[3]);
    }

    public static int OrShifted(int value, byte* plane, int right, int left, int mask)
    {
        var shorts = (ushort*)plane;
        return value | Pair(((shorts[0] >> right) << left) & mask, ((shorts[1] >> right) << left) & mask);
    }

    public static int Dot8(int* x, int a0, int a1, int a2, int a3, int a4, int a5, int a6, int a7) =>
        Products(a0, x[0]) + Products(a1, x[1]) + Products(a2, x[2]) + Products(a3, x[3])
        + Products(a4, x[4]) + Products(a5, x[5]) + Products(a6, x[6]) + Products(a7, x[7]);

    private static int Pair(int low, int high) => (low & 0xFFFF) | (high << 16);

    private static int Products(int a, int b) => ((short)a * (short)b) + ((a >> 16) * (b >> 16));
}
