using System.Runtime.CompilerServices;
using Parallax.Runtime.Cpu.Simd;
using Parallax.Runtime.Numerics;

namespace Parallax.Runtime.Cpu.Kernels;

/// <summary>Elementary functions lane by lane; each lane's bits are those of <see cref="ScalarMath"/>.</summary>
internal static class VectorMath<TIsa, TF, TI>
    where TIsa : struct, IIsa<TF, TI>
    where TF : unmanaged
    where TI : unmanaged
{
    /// <summary>e^x for x at most 88; 0 below -87.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TF Exp(TF x)
    {
        var shifted = TIsa.Fma(x, TIsa.Broadcast(ScalarMath.ExpLog2E), TIsa.Broadcast(ScalarMath.ExpMagic));
        var n = TIsa.Sub(shifted, TIsa.Broadcast(ScalarMath.ExpMagic));
        var r = TIsa.Fma(n, TIsa.Broadcast(-ScalarMath.ExpLn2High), x);
        r = TIsa.Fma(n, TIsa.Broadcast(-ScalarMath.ExpLn2Low), r);
        var p = TIsa.Broadcast(ScalarMath.ExpC6);
        p = TIsa.Fma(p, r, TIsa.Broadcast(ScalarMath.ExpC5));
        p = TIsa.Fma(p, r, TIsa.Broadcast(ScalarMath.ExpC4));
        p = TIsa.Fma(p, r, TIsa.Broadcast(ScalarMath.ExpC3));
        p = TIsa.Fma(p, r, TIsa.Broadcast(ScalarMath.ExpC2));
        p = TIsa.Fma(p, r, TIsa.Broadcast(ScalarMath.ExpC1));
        p = TIsa.Add(TIsa.Fma(p, TIsa.Mul(r, r), r), TIsa.Broadcast(1f));
        var exponent = TIsa.SubI(TIsa.AsBits(shifted), TIsa.BroadcastI(ScalarMath.ExpMagicBits - 127));
        var power = TIsa.AsFloats(TIsa.ShiftLeft(exponent, 23));
        return TIsa.ZeroWhereLess(x, TIsa.Broadcast(ScalarMath.ExpLower), TIsa.Mul(p, power));
    }

    /// <summary>x / (1 + e^-x).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TF Silu(TF x)
    {
        // min(-x, 88) as -max(x, -88).
        var negated = TIsa.Sub(TIsa.Zero, TIsa.Max(x, TIsa.Broadcast(-ScalarMath.ExpUpper)));
        return TIsa.Div(x, TIsa.Add(TIsa.Broadcast(1f), Exp(negated)));
    }
}
