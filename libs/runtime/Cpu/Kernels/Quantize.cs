using System.Runtime.CompilerServices;
using Parallax.Runtime.Cpu.Simd;
using Parallax.Runtime.Numerics;

namespace Parallax.Runtime.Cpu.Kernels;

/// <summary>
/// Activations to 16-bit integers per block of 32: scale = max|x| / 32767, q = x * (32767 / max|x|) rounded half to even; a
/// block of zeros has scale 0. Also the sums that offsets and minima need.
/// </summary>
internal static unsafe class Quantize<TIsa, TF, TI>
    where TIsa : struct, IIsa<TF, TI>
    where TF : unmanaged
    where TI : unmanaged
{
    private const float Largest = 32767f;

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Row(in LinearArgs args, int columns, int row)
    {
        var x = args.X + ((long)row * args.XStride);
        var q = args.Q + ((long)row * args.QStride);
        var blockBase = (long)row * args.BlockStride;
        var magic = TIsa.Broadcast(ScalarMath.ExpMagic);
        var magicBits = TIsa.BroadcastI(ScalarMath.ExpMagicBits);
        var lanes = stackalloc float[32];
        for (var b = 0; b < columns / 32; b++)
        {
            var input = x + (32 * b);
            for (var lane = 0; lane < 16; lane += TIsa.Lanes)
            {
                var low = TIsa.Load(input + lane);
                var high = TIsa.Load(input + lane + 16);
                TIsa.Store(lanes + lane, TIsa.Max(TIsa.Abs(low), TIsa.Abs(high)));
            }

            // A block so small that the inverse would overflow counts as zero; an infinite or undefined input makes the
            // scale undefined, so that it is noticed at the logits.
            var max = Reduce.Max(lanes);
            var isZero = max < 1e-30f;
            var inverse = TIsa.Broadcast(isZero ? 0f : Largest / max);
            var target = q + (32 * b);
            for (var k = 0; k < 32; k += TIsa.Lanes)
            {
                // Adding 1.5 * 2^23 rounds to an integer, half to even, and leaves it in the low bits.
                var shifted = TIsa.Add(TIsa.Mul(TIsa.Load(input + k), inverse), magic);
                TIsa.StoreI16(target + k, TIsa.SubI(TIsa.AsBits(shifted), magicBits));
            }

            int sumLow = 0, sumHigh = 0;
            for (var k = 0; k < 16; k += 4)
            {
                sumLow += target[k] + target[k + 1] + target[k + 2] + target[k + 3];
                sumHigh += target[k + 16] + target[k + 17] + target[k + 18] + target[k + 19];
                (target[k + 1], target[k + 2]) = (target[k + 2], target[k + 1]);
                (target[k + 17], target[k + 18]) = (target[k + 18], target[k + 17]);
            }

            var scale = isZero ? 0f : max < float.PositiveInfinity ? max / Largest : float.NaN;
            args.Sum16[2 * (blockBase + b)] = sumLow;
            args.Sum16[(2 * (blockBase + b)) + 1] = sumHigh;
            args.Scale[blockBase + b] = scale;
            args.ScaledSum[blockBase + b] = scale * (sumLow + sumHigh);
        }
    }
}
