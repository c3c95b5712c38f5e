using System.Runtime.CompilerServices;
using Parallax.Runtime.Cpu.Simd;
using Parallax.Runtime.Weights;

namespace Parallax.Runtime.Cpu.Kernels;

/// <summary>An unquantised element type as kernels load it.</summary>
internal interface IPlainFormat
{
    static abstract TensorFormat Format { get; }
}

internal readonly struct PlainF32 : IPlainFormat
{
    public static TensorFormat Format => TensorFormat.F32;
}

internal readonly struct PlainF16 : IPlainFormat
{
    public static TensorFormat Format => TensorFormat.F16;
}

internal readonly struct PlainBF16 : IPlainFormat
{
    public static TensorFormat Format => TensorFormat.BF16;
}

/// <summary>
/// Linear layers over f32, f16 and bf16 weights: per output 16 lanes, lane j taking columns j mod 16 in order by fused
/// multiply-add, then the tree 16 -> 8 -> 4 -> 2 -> 1. Rows are zero beyond their columns, up to a multiple of 16.
/// </summary>
internal static unsafe class PlainDot<TIsa, TF, TI, TFormat>
    where TIsa : struct, IIsa<TF, TI>
    where TF : unmanaged
    where TI : unmanaged
    where TFormat : struct, IPlainFormat
{
    /// <summary>Bytes per element.</summary>
    public static int ElementBytes
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => TFormat.Format == TensorFormat.F32 ? 4 : 2;
    }

    /// <summary>Computes output groups [first, last) of all rows.</summary>
    /// <param name="data">The matrix, [groups * 16, padded] elements, row-major.</param>
    /// <param name="padded">Columns rounded up to 16.</param>
    /// <param name="first">First group of 16 outputs.</param>
    /// <param name="last">One past the last group.</param>
    /// <param name="args">Inputs and outputs.</param>
    public static void Run(byte* data, int padded, int first, int last, in LinearArgs args)
    {
        // Lane sums of 4 outputs of 4 rows, and the 16 results of 4 rows.
        var lanes = stackalloc float[(4 * 4 * 16) + 16];
        lanes = (float*)(((nuint)lanes + 63) & ~(nuint)63);
        var results = stackalloc float[4 * 16];
        for (var group = first; group < last; group++)
        {
            var weights = data + ((long)group * 16 * padded * ElementBytes);
            for (var row = 0; row < args.Rows; row += 4)
            {
                var rows = Math.Min(4, args.Rows - row);
                for (var output = 0; output < 16; output += 4)
                {
                    var w = weights + ((long)output * padded * ElementBytes);
                    for (var lane = 0; lane < 16; lane += TIsa.Lanes)
                    {
                        if (rows == 1)
                        {
                            OneRow(w, lane, padded, args.X + ((long)row * args.XStride), lanes + lane);
                        }
                        else
                        {
                            FourRows(w, lane, padded, row, lanes + lane, in args);
                        }
                    }

                    for (var i = 0; i < rows; i++)
                    {
                        for (var j = 0; j < 4; j++)
                        {
                            results[(i * 16) + output + j] = Reduce.Sum(lanes + (((i * 4) + j) * 16));
                        }
                    }
                }

                for (var i = 0; i < rows; i++)
                {
                    Epilogue<TIsa, TF, TI>.Store(in args, row + i, group * 16, results + (i * 16));
                }
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TF Load(byte* source, long element)
    {
        if (typeof(TFormat) == typeof(PlainF32))
        {
            return TIsa.Load((float*)source + element);
        }

        return typeof(TFormat) == typeof(PlainBF16)
            ? TIsa.LoadBf16((ushort*)source + element)
            : TIsa.LoadF16((ushort*)source + element);
    }

    /// <summary>Lanes [lane, lane + Lanes) of four outputs of one row.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void OneRow(byte* weights, int lane, int padded, float* x, float* lanes)
    {
        TF a0 = TIsa.Zero, a1 = TIsa.Zero, a2 = TIsa.Zero, a3 = TIsa.Zero;
        long stride = padded;
        for (var k = lane; k < padded; k += 16)
        {
            var input = TIsa.Load(x + k);
            a0 = TIsa.Fma(Load(weights, k), input, a0);
            a1 = TIsa.Fma(Load(weights, stride + k), input, a1);
            a2 = TIsa.Fma(Load(weights, (2 * stride) + k), input, a2);
            a3 = TIsa.Fma(Load(weights, (3 * stride) + k), input, a3);
        }

        TIsa.Store(lanes, a0);
        TIsa.Store(lanes + 16, a1);
        TIsa.Store(lanes + 32, a2);
        TIsa.Store(lanes + 48, a3);
    }

    /// <summary>Lanes [lane, lane + Lanes) of four outputs of up to four rows; rows beyond the last repeat it.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void FourRows(byte* weights, int lane, int padded, int row, float* lanes, in LinearArgs args)
    {
        TF a00 = TIsa.Zero, a01 = TIsa.Zero, a02 = TIsa.Zero, a03 = TIsa.Zero;
        TF a10 = TIsa.Zero, a11 = TIsa.Zero, a12 = TIsa.Zero, a13 = TIsa.Zero;
        TF a20 = TIsa.Zero, a21 = TIsa.Zero, a22 = TIsa.Zero, a23 = TIsa.Zero;
        TF a30 = TIsa.Zero, a31 = TIsa.Zero, a32 = TIsa.Zero, a33 = TIsa.Zero;
        var last = args.Rows - 1;
        var x0 = args.X + ((long)row * args.XStride);
        var x1 = args.X + ((long)Math.Min(row + 1, last) * args.XStride);
        var x2 = args.X + ((long)Math.Min(row + 2, last) * args.XStride);
        var x3 = args.X + ((long)Math.Min(row + 3, last) * args.XStride);
        long stride = padded;
        for (var k = lane; k < padded; k += 16)
        {
            var w0 = Load(weights, k);
            var w1 = Load(weights, stride + k);
            var w2 = Load(weights, (2 * stride) + k);
            var w3 = Load(weights, (3 * stride) + k);
            var x = TIsa.Load(x0 + k);
            a00 = TIsa.Fma(w0, x, a00);
            a01 = TIsa.Fma(w1, x, a01);
            a02 = TIsa.Fma(w2, x, a02);
            a03 = TIsa.Fma(w3, x, a03);
            x = TIsa.Load(x1 + k);
            a10 = TIsa.Fma(w0, x, a10);
            a11 = TIsa.Fma(w1, x, a11);
            a12 = TIsa.Fma(w2, x, a12);
            a13 = TIsa.Fma(w3, x, a13);
            x = TIsa.Load(x2 + k);
            a20 = TIsa.Fma(w0, x, a20);
            a21 = TIsa.Fma(w1, x, a21);
            a22 = TIsa.Fma(w2, x, a22);
            a23 = TIsa.Fma(w3, x, a23);
            x = TIsa.Load(x3 + k);
            a30 = TIsa.Fma(w0, x, a30);
            a31 = TIsa.Fma(w1, x, a31);
            a32 = TIsa.Fma(w2, x, a32);
            a33 = TIsa.Fma(w3, x, a33);
        }

        TIsa.Store(lanes, a00);
        TIsa.Store(lanes + 16, a01);
        TIsa.Store(lanes + 32, a02);
        TIsa.Store(lanes + 48, a03);
        TIsa.Store(lanes + 64, a10);
        TIsa.Store(lanes + 80, a11);
        TIsa.Store(lanes + 96, a12);
        TIsa.Store(lanes + 112, a13);
        TIsa.Store(lanes + 128, a20);
        TIsa.Store(lanes + 144, a21);
        TIsa.Store(lanes + 160, a22);
        TIsa.Store(lanes + 176, a23);
        TIsa.Store(lanes + 192, a30);
        TIsa.Store(lanes + 208, a31);
        TIsa.Store(lanes + 224, a32);
        TIsa.Store(lanes + 240, a33);
    }
}
