using Parallax.Runtime.Cpu.Simd;
using Parallax.Runtime.Models;

namespace Parallax.Runtime.Cpu.Kernels;

/// <summary>Rotary embedding of one head: a' = fma(a, cos, -(b sin)), b' = fma(b, cos, a sin) for each pair (a, b).</summary>
internal static unsafe class Rotate<TIsa, TF, TI>
    where TIsa : struct, IIsa<TF, TI>
    where TF : unmanaged
    where TI : unmanaged
{
    /// <param name="head">The head's elements, changed in place.</param>
    /// <param name="table">Cosines [pairs], then sines [pairs].</param>
    /// <param name="pairs">Pairs that rotate.</param>
    /// <param name="layout">How pairs lie in the head.</param>
    public static void Head(float* head, float* table, int pairs, RopeLayout layout)
    {
        var i = 0;
        if (layout == RopeLayout.Halves)
        {
            for (; i + TIsa.Lanes <= pairs; i += TIsa.Lanes)
            {
                var a = TIsa.Load(head + i);
                var b = TIsa.Load(head + pairs + i);
                var cosine = TIsa.Load(table + i);
                var sine = TIsa.Load(table + pairs + i);
                TIsa.Store(head + i, TIsa.Fma(a, cosine, TIsa.Sub(TIsa.Zero, TIsa.Mul(b, sine))));
                TIsa.Store(head + pairs + i, TIsa.Fma(b, cosine, TIsa.Mul(a, sine)));
            }
        }

        for (; i < pairs; i++)
        {
            var first = layout == RopeLayout.Halves ? head + i : head + (2 * i);
            var second = layout == RopeLayout.Halves ? head + pairs + i : first + 1;
            float a = *first, b = *second, cosine = table[i], sine = table[pairs + i];
            *first = MathF.FusedMultiplyAdd(a, cosine, 0f - (b * sine));
            *second = MathF.FusedMultiplyAdd(b, cosine, a * sine);
        }
    }
}
