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
internal static unsafe class PlainDot<TIsa, TF, TB, TFormat>
    where TIsa : struct, IIsa<TF, TB>
    where TF : unmanaged
    where TB : unmanaged
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
                    if (rows == 1)
                    {
                        Tile1(w, padded, args.X + ((long)row * args.XStride), results + output);
                    }
                    else
                    {
                        Tile4(w, padded, row, results + output, in args);
                    }
                }

                for (var i = 0; i < rows; i++)
                {
                    Epilogue<TIsa, TF, TB>.Store(in args, row + i, group * 16, TIsa.Load(results + (i * 16)));
                }
            }
        }
    }

    /// <summary>The dot of a weight row with an f32 vector, both padded to 16.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TF Load(byte* source, long element) => TFormat.Format switch
    {
        TensorFormat.F32 => TIsa.Load((float*)source + element),
        TensorFormat.BF16 => TIsa.LoadBf16((ushort*)source + element),
        _ => TIsa.LoadF16((ushort*)source + element),
    };

    /// <summary>Four outputs of one row.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Tile1(byte* weights, int padded, float* x, float* results)
    {
        TF a0 = TIsa.Zero, a1 = TIsa.Zero, a2 = TIsa.Zero, a3 = TIsa.Zero;
        long stride = padded;
        for (var k = 0; k < padded; k += 16)
        {
            var input = TIsa.Load(x + k);
            a0 = TIsa.Fma(Load(weights, k), input, a0);
            a1 = TIsa.Fma(Load(weights, stride + k), input, a1);
            a2 = TIsa.Fma(Load(weights, (2 * stride) + k), input, a2);
            a3 = TIsa.Fma(Load(weights, (3 * stride) + k), input, a3);
        }

        results[0] = TIsa.Sum(a0);
        results[1] = TIsa.Sum(a1);
        results[2] = TIsa.Sum(a2);
        results[3] = TIsa.Sum(a3);
    }

    /// <summary>Four outputs of up to four rows; rows beyond the last repeat it.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Tile4(byte* weights, int padded, int row, float* results, in LinearArgs args)
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
        for (var k = 0; k < padded; k += 16)
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

        results[0] = TIsa.Sum(a00);
        results[1] = TIsa.Sum(a01);
        results[2] = TIsa.Sum(a02);
        results[3] = TIsa.Sum(a03);
        results[16] = TIsa.Sum(a10);
        results[17] = TIsa.Sum(a11);
        results[18] = TIsa.Sum(a12);
        results[19] = TIsa.Sum(a13);
        results[32] = TIsa.Sum(a20);
        results[33] = TIsa.Sum(a21);
        results[34] = TIsa.Sum(a22);
        results[35] = TIsa.Sum(a23);
        results[48] = TIsa.Sum(a30);
        results[49] = TIsa.Sum(a31);
        results[50] = TIsa.Sum(a32);
        results[51] = TIsa.Sum(a33);
    }
}
