using System.Runtime.CompilerServices;
using Parallax.Runtime.Cpu.Simd;

namespace Parallax.Runtime.Cpu.Kernels;

/// <summary>RMS norm: the sum of squares as a 16-lane dot, 1 / sqrt by IEEE operations, y = (x * inverse) * weight.</summary>
internal static unsafe class Norm<TIsa, TF, TI>
    where TIsa : struct, IIsa<TF, TI>
    where TF : unmanaged
    where TI : unmanaged
{
    /// <param name="x">Input, zero from <paramref name="columns"/> up to a multiple of 16.</param>
    /// <param name="weight">Weights, padded likewise.</param>
    /// <param name="output">Output; may be the input.</param>
    /// <param name="columns">Elements of the mean.</param>
    /// <param name="epsilon">Added to the mean.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Row(float* x, float* weight, float* output, int columns, float epsilon)
    {
        var padded = (columns + 15) / 16 * 16;
        var lanes = stackalloc float[16];
        for (var lane = 0; lane < 16; lane += TIsa.Lanes)
        {
            var sum = TIsa.Zero;
            for (var k = lane; k < padded; k += 16)
            {
                var value = TIsa.Load(x + k);
                sum = TIsa.Fma(value, value, sum);
            }

            TIsa.Store(lanes + lane, sum);
        }

        var inverse = TIsa.Broadcast(1f / MathF.Sqrt((Reduce.Sum(lanes) / columns) + epsilon));
        for (var k = 0; k < padded; k += TIsa.Lanes)
        {
            TIsa.Store(output + k, TIsa.Mul(TIsa.Mul(TIsa.Load(x + k), inverse), TIsa.Load(weight + k)));
        }
    }
}
