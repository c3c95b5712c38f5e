namespace Parallax.Runtime.Cpu.Simd;

/// <summary>
/// The operations that kernels are written in, on the registers of one instruction set. <typeparamref name="TF"/> is a
/// register of floats, <typeparamref name="TI"/> one of ints of the same number of lanes. The arithmetic's structures are 16
/// lanes wide (docs/numerics.md); a narrower register does them in 16 / <see cref="Lanes"/> passes. Every operation gives
/// the same bits per lane on every instruction set.
/// </summary>
internal unsafe interface IIsa<TF, TI>
    where TF : unmanaged
    where TI : unmanaged
{
    static abstract bool IsSupported { get; }

    /// <summary>Lanes of a register: 16, 8, 4 or 1.</summary>
    static abstract int Lanes { get; }

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

    /// <summary>bf16 values, exact.</summary>
    static abstract TF LoadBf16(ushort* source);

    /// <summary>Rounds to bf16 values, nearest even.</summary>
    static abstract TF RoundBf16(TF value);

    /// <summary>Finite f16 values, exact.</summary>
    static abstract TF LoadF16(ushort* source);

    /// <summary>Unsigned bytes as floats.</summary>
    static abstract TF LoadU8(byte* source);

    /// <summary>Signed bytes as floats.</summary>
    static abstract TF LoadS8(sbyte* source);

    static abstract TI BroadcastI(int value);

    static abstract TI AddI(TI a, TI b);

    static abstract TI SubI(TI a, TI b);

    static abstract TI ShiftLeft(TI a, int count);

    /// <summary>Ints as floats, rounded to nearest even.</summary>
    static abstract TF ToFloat(TI ints);

    static abstract TI AsBits(TF value);

    static abstract TF AsFloats(TI bits);

    /// <summary>Stores ints, each in a short's range, as shorts.</summary>
    static abstract void StoreI16(short* target, TI ints);

    /// <summary>
    /// Four nibble pairs per lane as shorts: of bytes (b0, b1, b2, b3), the low nibbles of b0 and b2 (even) and of b1 and b3
    /// (odd), and the high nibbles likewise.
    /// </summary>
    static abstract void UnpackNibbles(byte* source, out TI even, out TI odd, out TI evenHigh, out TI oddHigh);

    /// <summary>Signed bytes (b0, b1, b2, b3) per lane as shorts: b0 and b2 (even), b1 and b3 (odd).</summary>
    static abstract void UnpackBytes(byte* source, out TI even, out TI odd);

    /// <summary>
    /// value | (((plane, each short shifted right by <paramref name="right"/>) shifted left by <paramref name="left"/>) &amp;
    /// mask).
    /// </summary>
    static abstract TI OrShifted(TI value, byte* plane, int right, int left, int mask);

    /// <summary>
    /// The sum over i of a_i's shorts times the two shorts of x[i], adjacent products added, as ints. Exact.
    /// </summary>
    static abstract TI Dot8(int* x, TI a0, TI a1, TI a2, TI a3, TI a4, TI a5, TI a6, TI a7);
}
