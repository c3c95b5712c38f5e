using System.Runtime.CompilerServices;
using Parallax.Runtime.Cpu.Simd;

namespace Parallax.Runtime.Cpu.Kernels;

/// <summary>RMS norm: the sum of squares as a 16-lane dot, 1 / sqrt by IEEE operations, y = (x * inverse) * weight.</summary>
internal static unsafe class Norm<TIsa, TF, TB>
    where TIsa : struct, IIsa<TF, TB>
    where TF : unmanaged
    where TB : unmanaged
{
    /// <param name="x">Input, zero from <paramref name="columns"/> up to a multiple of 16.</param>
    /// <param name="weight">Weights, padded likewise.</param>
    /// <param name="output">Output; may be the input.</param>
    /// <param name="columns">Elements of the mean.</param>
    /// <param name="epsilon">Added to the mean.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Row(float* x, float* weight, float* output, int columns, float epsilon)
    {
        var sum = TIsa.Zero;
        for (var k = 0; k < columns; k += 16)
        {
            var value = TIsa.Load(x + k);
            sum = TIsa.Fma(value, value, sum);
        }

        var inverse = TIsa.Broadcast(1f / MathF.Sqrt((TIsa.Sum(sum) / columns) + epsilon));
        for (var k = 0; k < columns; k += 16)
        {
            TIsa.Store(output + k, TIsa.Mul(TIsa.Mul(TIsa.Load(x + k), inverse), TIsa.Load(weight + k)));
        }
    }
}
