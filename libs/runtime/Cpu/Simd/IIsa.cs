namespace Parallax.Runtime.Cpu.Simd;

/// <summary>
/// Sixteen lanes of arithmetic, whatever the hardware's width: kernels are written once against this and give the same
/// bits everywhere. <typeparamref name="TF"/> holds 16 floats; <typeparamref name="TB"/> holds 64 bytes, read as 64 bytes,
/// 32 shorts or 16 ints as the operation says.
/// </summary>
internal unsafe interface IIsa<TF, TB>
    where TF : unmanaged
    where TB : unmanaged
{
    static abstract bool IsSupported { get; }

    /// <summary>Whether <see cref="DotU8S8"/> is one instruction per register.</summary>
    static abstract bool HasDotU8S8 { get; }

    static abstract TF Zero { get; }

    static abstract TF Broadcast(float value);

    static abstract TF Load(float* source);

    static abstract void Store(float* target, TF value);

    static abstract TF Add(TF a, TF b);

    static abstract TF Sub(TF a, TF b);

    static abstract TF Mul(TF a, TF b);

    static abstract TF Div(TF a, TF b);

    /// <summary>a * b + c, rounded once.</summary>
    static abstract TF Fma(TF a, TF b, TF c);

    static abstract TF Max(TF a, TF b);

    static abstract TF Abs(TF a);

    /// <summary>value, or 0 in lanes where x is below limit.</summary>
    static abstract TF ZeroWhereLess(TF x, TF limit, TF value);

    /// <summary>The tree 16 -> 8 -> 4 -> 2 -> 1 of (lane i + lane i + half).</summary>
    static abstract float Sum(TF a);

    static abstract float MaxAcross(TF a);

    /// <summary>16 bf16 values, exact.</summary>
    static abstract TF LoadBf16(ushort* source);

    /// <summary>Stores nearest-even bf16.</summary>
    static abstract void StoreBf16(ushort* target, TF value);

    /// <summary>16 finite f16 values, exact.</summary>
    static abstract TF LoadF16(ushort* source);

    /// <summary>16 unsigned bytes as floats.</summary>
    static abstract TF LoadU8(byte* source);

    /// <summary>16 signed bytes as floats.</summary>
    static abstract TF LoadS8(sbyte* source);

    static abstract TB ZeroB { get; }

    static abstract TB LoadB(byte* source);

    static abstract TB Broadcast32(int value);

    static abstract TB And(TB a, TB b);

    static abstract TB Or(TB a, TB b);

    static abstract TB ShiftRightLogical16(TB a, int count);

    static abstract TB ShiftLeft16(TB a, int count);

    static abstract TB ShiftRightArithmetic16(TB a, int count);

    static abstract TB ShiftLeft32(TB a, int count);

    /// <summary>Unsigned bytes times signed bytes, adjacent products added to shorts; must not exceed a short's range.</summary>
    static abstract TB MaddU8S8(TB unsigned, TB signed);

    /// <summary>Shorts times shorts, adjacent products added to ints.</summary>
    static abstract TB MaddI16(TB a, TB b);

    /// <summary>accumulator + four adjacent products of unsigned by signed bytes, as ints; exact.</summary>
    static abstract TB DotU8S8(TB accumulator, TB unsigned, TB signed);

    static abstract TB AddI16(TB a, TB b);

    static abstract TB AddI32(TB a, TB b);

    static abstract TB SubI32(TB a, TB b);

    /// <summary>16 ints as floats (rounded to nearest even).</summary>
    static abstract TF ToFloat(TB ints);

    static abstract TB AsBits(TF value);

    static abstract TF AsFloats(TB bits);

    /// <summary>Sum of the 16 ints.</summary>
    static abstract int SumI32(TB ints);

    /// <summary>Stores 16 ints, each in a signed byte's range, as bytes.</summary>
    static abstract void StoreS8(sbyte* target, TB ints);

    /// <summary>Stores 16 ints, each in a short's range, as shorts.</summary>
    static abstract void StoreI16(short* target, TB ints);
}
