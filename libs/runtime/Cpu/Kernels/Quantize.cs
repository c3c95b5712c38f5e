using System.Runtime.CompilerServices;
using Parallax.Runtime.Cpu.Simd;
using Parallax.Runtime.Numerics;

namespace Parallax.Runtime.Cpu.Kernels;

/// <summary>
/// Activations to int8 per block of 32: scale = max|x| / 127, q = x * (127 / max|x|) rounded half to even; a block of zeros
/// has scale 0. Also the sums that offsets and minima need.
/// </summary>
internal static unsafe class Quantize<TIsa, TF, TB>
    where TIsa : struct, IIsa<TF, TB>
    where TF : unmanaged
    where TB : unmanaged
{
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Row(in LinearArgs args, int columns, int row)
    {
        var x = args.X + ((long)row * args.XStride);
        var q = args.Q + ((long)row * args.QStride);
        var q16 = args.Q16 is null ? null : args.Q16 + ((long)row * args.QStride);
        var blockBase = (long)row * args.BlockStride;
        var magic = TIsa.Broadcast(ScalarMath.ExpMagic);
        var magicBits = TIsa.Broadcast32(ScalarMath.ExpMagicBits);
        for (var b = 0; b < columns / 32; b++)
        {
            var low = TIsa.Load(x + (32 * b));
            var high = TIsa.Load(x + (32 * b) + 16);
            var max = TIsa.MaxAcross(TIsa.Max(TIsa.Abs(low), TIsa.Abs(high)));

            // A block whose maximum is subnormal would have an infinite inverse: it counts as zero.
            // Infinite and undefined inputs make the scale undefined, so that they are noticed at the logits.
            var isZero = !(max >= 1e-36f);
            var probe = TIsa.Sum(TIsa.Add(TIsa.Mul(low, TIsa.Zero), TIsa.Mul(high, TIsa.Zero)));
            var scale = (isZero ? 0f : max / 127f) + probe;
            var inverse = TIsa.Broadcast(isZero ? 0f : 127f / max);

            // Adding 1.5 * 2^23 rounds to an integer, half to even, and leaves it in the low bits.
            var qLow = TIsa.SubI32(TIsa.AsBits(TIsa.Add(TIsa.Mul(low, inverse), magic)), magicBits);
            var qHigh = TIsa.SubI32(TIsa.AsBits(TIsa.Add(TIsa.Mul(high, inverse), magic)), magicBits);
            TIsa.StoreS8(q + (32 * b), qLow);
            TIsa.StoreS8(q + (32 * b) + 16, qHigh);
            var sumLow = TIsa.SumI32(qLow);
            var sumHigh = TIsa.SumI32(qHigh);
            args.Sum16[2 * (blockBase + b)] = sumLow;
            args.Sum16[(2 * (blockBase + b)) + 1] = sumHigh;
            args.Scale[blockBase + b] = scale;
            args.ScaledSum[blockBase + b] = scale * (sumLow + sumHigh);
            if (q16 is not null)
            {
                var source = q + (32 * b);
                var target = q16 + (32 * b);
                for (var k = 0; k < 32; k += 4)
                {
                    target[k] = source[k];
                    target[k + 1] = source[k + 2];
                    target[k + 2] = source[k + 1];
                    target[k + 3] = source[k + 3];
                }
            }
        }
    }
}
