using System.Runtime.CompilerServices;
using Parallax.Runtime.Cpu.Simd;

namespace Parallax.Runtime.Cpu.Kernels;

/// <summary>Writes 16 outputs of one row: bias, then residual, then rounding, as the layer's mode says.</summary>
internal static unsafe class Epilogue<TIsa, TF, TB>
    where TIsa : struct, IIsa<TF, TB>
    where TF : unmanaged
    where TB : unmanaged
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(in LinearArgs args, int row, int column, TF value)
    {
        if (args.Bias is not null)
        {
            value = TIsa.Add(value, TIsa.Load(args.Bias + column));
        }

        var target = args.Out + ((long)row * args.OutStride) + column;
        if (args.Mode != LinearMode.Store)
        {
            value = TIsa.Add(TIsa.Load(target), value);
            if (args.Mode == LinearMode.AddRound)
            {
                var rounded = stackalloc ushort[16];
                TIsa.StoreBf16(rounded, value);
                value = TIsa.LoadBf16(rounded);
            }
        }

        TIsa.Store(target, value);
    }
}
