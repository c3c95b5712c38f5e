using System.Runtime.CompilerServices;
using Parallax.Runtime.Cpu.Simd;

namespace Parallax.Runtime.Cpu.Kernels;

/// <summary>Writes 16 outputs of one row: bias, then residual, then rounding, as the layer's mode says.</summary>
internal static unsafe class Epilogue<TIsa, TF, TI>
    where TIsa : struct, IIsa<TF, TI>
    where TF : unmanaged
    where TI : unmanaged
{
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Store(in LinearArgs args, int row, int column, float* values)
    {
        var target = args.Out + ((long)row * args.OutStride) + column;
        for (var lane = 0; lane < 16; lane += TIsa.Lanes)
        {
            var value = TIsa.Load(values + lane);
            if (args.Bias is not null)
            {
                value = TIsa.Add(value, TIsa.Load(args.Bias + column + lane));
            }

            if (args.Mode != LinearMode.Store)
            {
                value = TIsa.Add(TIsa.Load(target + lane), value);
                value = args.Mode == LinearMode.AddRound ? TIsa.RoundBf16(value) : value;
            }

            TIsa.Store(target + lane, value);
        }
    }
}
