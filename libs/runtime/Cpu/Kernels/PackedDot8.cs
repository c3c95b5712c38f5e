using System.Runtime.CompilerServices;
using Parallax.Runtime.Cpu.Packing;
using Parallax.Runtime.Cpu.Simd;

namespace Parallax.Runtime.Cpu.Kernels;

/// <summary>
/// Linear layers over packed signed 8-bit weights (Q8_0): both sides widened to shorts, so that no product saturates.
/// Arithmetic as in <see cref="PackedDot{TIsa, TF, TB, TFormat}"/>.
/// </summary>
internal static unsafe class PackedDot8<TIsa, TF, TB>
    where TIsa : struct, IIsa<TF, TB>
    where TF : unmanaged
    where TB : unmanaged
{
    /// <summary>Computes output groups [first, last) of all rows.</summary>
    public static void Run(byte* data, int columns, int first, int last, in LinearArgs args)
    {
        var groupBytes = PackedLayout<PackedQ80>.GroupBytes(columns);
        for (var group = first; group < last; group++)
        {
            var weights = data + (group * groupBytes);
            var row = 0;
            for (; args.Rows - row > 1; row += 4)
            {
                Tile4(weights, columns, group * 16, row, in args);
            }

            if (row < args.Rows)
            {
                Tile1(weights, columns, group * 16, row, in args);
            }
        }
    }

    /// <summary>Expands one row to f32: scale * code.</summary>
    public static void ReadRow(byte* data, int columns, int row, float* target)
    {
        var block = data + (row / 16 * PackedLayout<PackedQ80>.GroupBytes(columns));
        var lane = row % 16;
        for (var b = 0; b < columns / 32; b++)
        {
            var scale = Numerics.HalfFloats.FromF16Finite(((ushort*)block)[lane]);
            var codes = (sbyte*)block + PackedLayout<PackedQ80>.ScaleBytes + (lane * 4);
            for (var k = 0; k < 32; k++)
            {
                target[(b * 32) + k] = scale * codes[(k / 4 * 64) + (k % 4)];
            }

            block += PackedLayout<PackedQ80>.BlockBytes;
        }
    }

    /// <summary>Splits four signed bytes per lane into shorts (k0, k2) and (k1, k3).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Widen(byte* codes, out TB even, out TB odd)
    {
        var packed = TIsa.LoadB(codes);
        even = TIsa.ShiftRightArithmetic16(TIsa.ShiftLeft16(packed, 8), 8);
        odd = TIsa.ShiftRightArithmetic16(packed, 8);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TB Products(TB even, TB odd, int* x) => TIsa.AddI32(
        TIsa.MaddI16(even, TIsa.Broadcast32(x[0])),
        TIsa.MaddI16(odd, TIsa.Broadcast32(x[1])));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TF Scaled(TF acc, TB dot, TF scale, float dx) =>
        TIsa.Fma(TIsa.Mul(scale, TIsa.Broadcast(dx)), TIsa.ToFloat(dot), acc);

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Tile1(byte* weights, int columns, int column, int row, in LinearArgs args)
    {
        var acc = TIsa.Zero;
        var x = (int*)(args.Q16 + ((long)row * args.QStride));
        var dx = args.Scale + ((long)row * args.BlockStride);
        var blocks = columns / 32;
        for (var b = 0; b < blocks; b++)
        {
            var codes = weights + PackedLayout<PackedQ80>.ScaleBytes;
            var sum = TIsa.ZeroB;
            for (var c = 0; c < 8; c++)
            {
                Widen(codes + (64 * c), out var even, out var odd);
                sum = TIsa.AddI32(sum, Products(even, odd, x + (2 * c)));
            }

            acc = Scaled(acc, sum, TIsa.LoadF16((ushort*)weights), dx[b]);
            x += 16;
            weights += PackedLayout<PackedQ80>.BlockBytes;
        }

        Epilogue<TIsa, TF, TB>.Store(in args, row, column, acc);
    }

    /// <summary>Up to four rows; rows beyond the last repeat it and are not stored.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Tile4(byte* weights, int columns, int column, int row, in LinearArgs args)
    {
        TF a0 = TIsa.Zero, a1 = TIsa.Zero, a2 = TIsa.Zero, a3 = TIsa.Zero;
        var last = args.Rows - 1;
        long r0 = row, r1 = Math.Min(row + 1, last), r2 = Math.Min(row + 2, last), r3 = Math.Min(row + 3, last);
        var x0 = (int*)(args.Q16 + (r0 * args.QStride));
        var x1 = (int*)(args.Q16 + (r1 * args.QStride));
        var x2 = (int*)(args.Q16 + (r2 * args.QStride));
        var x3 = (int*)(args.Q16 + (r3 * args.QStride));
        long stride = args.BlockStride;
        var dx = args.Scale;
        var blocks = columns / 32;
        for (var b = 0; b < blocks; b++)
        {
            var codes = weights + PackedLayout<PackedQ80>.ScaleBytes;
            TB s0 = TIsa.ZeroB, s1 = TIsa.ZeroB, s2 = TIsa.ZeroB, s3 = TIsa.ZeroB;
            for (var c = 0; c < 8; c++)
            {
                Widen(codes + (64 * c), out var even, out var odd);
                s0 = TIsa.AddI32(s0, Products(even, odd, x0 + (2 * c)));
                s1 = TIsa.AddI32(s1, Products(even, odd, x1 + (2 * c)));
                s2 = TIsa.AddI32(s2, Products(even, odd, x2 + (2 * c)));
                s3 = TIsa.AddI32(s3, Products(even, odd, x3 + (2 * c)));
            }

            var scale = TIsa.LoadF16((ushort*)weights);
            a0 = Scaled(a0, s0, scale, dx[(r0 * stride) + b]);
            a1 = Scaled(a1, s1, scale, dx[(r1 * stride) + b]);
            a2 = Scaled(a2, s2, scale, dx[(r2 * stride) + b]);
            a3 = Scaled(a3, s3, scale, dx[(r3 * stride) + b]);
            x0 += 16;
            x1 += 16;
            x2 += 16;
            x3 += 16;
            weights += PackedLayout<PackedQ80>.BlockBytes;
        }

        Epilogue<TIsa, TF, TB>.Store(in args, row, column, a0);
        if (row + 1 <= last)
        {
            Epilogue<TIsa, TF, TB>.Store(in args, row + 1, column, a1);
        }

        if (row + 2 <= last)
        {
            Epilogue<TIsa, TF, TB>.Store(in args, row + 2, column, a2);
        }

        if (row + 3 <= last)
        {
            Epilogue<TIsa, TF, TB>.Store(in args, row + 3, column, a3);
        }
    }
}
