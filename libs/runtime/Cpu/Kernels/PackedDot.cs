using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.X86;
using Parallax.Runtime.Cpu.Packing;
using Parallax.Runtime.Cpu.Simd;
using Parallax.Runtime.Numerics;

namespace Parallax.Runtime.Cpu.Kernels;

/// <summary>
/// Linear layers over packed quantised weights and 16-bit activations: 16 outputs (a lane each) of up to 16 rows at a time.
/// Per output, blocks of 32 columns in order: acc = fma(dw * dx, (float)dot, acc), then, with a minimum,
/// acc = fma(mw, dx * sum, acc). The integer dot is exact, so tiles and instruction sets cannot differ.
/// </summary>
/// <remarks>
/// A block's codes are unpacked once into 16 registers of shorts, which all rows of the tile use. Formats are told apart by
/// <c>typeof</c>, which the JIT folds without inlining anything: it stops inlining in methods of many locals.
/// </remarks>
internal static unsafe class PackedDot<TIsa, TF, TI, TFormat>
    where TIsa : struct, IIsa<TF, TI>
    where TF : unmanaged
    where TI : unmanaged
    where TFormat : struct, IPackedFormat
{
    private const int TileRows = 16;
    private const int PrefetchBytes = 3072;

    private static bool IsSuper
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => typeof(TFormat) == typeof(PackedQ4K) || typeof(TFormat) == typeof(PackedQ5K) || typeof(TFormat) == typeof(PackedQ6K);
    }

    private static bool HasMinimum
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => typeof(TFormat) == typeof(PackedQ41) || typeof(TFormat) == typeof(PackedQ51)
            || typeof(TFormat) == typeof(PackedQ4K) || typeof(TFormat) == typeof(PackedQ5K);
    }

    /// <summary>Computes output groups [first, last) of all rows.</summary>
    /// <param name="data">The packed matrix.</param>
    /// <param name="columns">Its columns.</param>
    /// <param name="first">First group of 16 outputs.</param>
    /// <param name="last">One past the last group.</param>
    /// <param name="args">Inputs and outputs; Out points at the matrix's first output column.</param>
    public static void Run(byte* data, int columns, int first, int last, in LinearArgs args)
    {
        var groupBytes = PackedLayout<TFormat>.GroupBytes(columns);
        var accumulators = stackalloc float[(TileRows + 1) * 16];
        accumulators = (float*)(((nuint)accumulators + 63) & ~(nuint)63);
        for (var group = first; group < last; group++)
        {
            var weights = data + (group * groupBytes);
            for (var row = 0; row < args.Rows; row += TileRows)
            {
                var rows = Math.Min(TileRows, args.Rows - row);
                for (var lane = 0; lane < 16; lane += TIsa.Lanes)
                {
                    if (rows == 1)
                    {
                        OneRow(weights, lane, columns, row, accumulators + lane, in args);
                    }
                    else
                    {
                        ManyRows(weights, lane, columns, row, rows, accumulators + lane, in args);
                    }
                }

                for (var i = 0; i < rows; i++)
                {
                    Epilogue<TIsa, TF, TI>.Store(in args, row + i, group * 16, accumulators + (i * 16));
                }
            }
        }
    }

    /// <summary>Expands one row to f32: value = scale * (code - offset), plus the minimum; each step rounded.</summary>
    public static void ReadRow(byte* data, int columns, int row, float* target)
    {
        var block = data + (row / 16 * PackedLayout<TFormat>.GroupBytes(columns));
        var lane = row % 16;
        byte* super = null;
        for (var b = 0; b < columns / 32; b++)
        {
            if (TFormat.IsSuper && b % 8 == 0)
            {
                super = block;
                block += PackedLayout<TFormat>.SuperBytes;
            }

            for (var k = 0; k < 32; k++)
            {
                var code = Code(block + PackedLayout<TFormat>.ScaleBytes, lane, k) - TFormat.Offset;
                target[(b * 32) + k] = ScaleOf(block, super, lane, k / 16) * code;
                if (TFormat.HasMinimum)
                {
                    target[(b * 32) + k] += MinimumOf(block, super, lane);
                }
            }

            block += PackedLayout<TFormat>.BlockBytes;
        }
    }

    private static float ScaleOf(byte* block, byte* super, int lane, int half)
    {
        if (!TFormat.IsSuper)
        {
            return HalfFloats.FromF16Finite(((ushort*)block)[lane]);
        }

        float factor = TFormat.HalfBlocks ? ((sbyte*)block)[(16 * half) + lane] : block[lane];
        return HalfFloats.FromF16Finite(((ushort*)super)[lane]) * factor;
    }

    private static float MinimumOf(byte* block, byte* super, int lane) => TFormat.IsSuper
        ? HalfFloats.FromF16Finite(((ushort*)super)[16 + lane]) * block[16 + lane]
        : HalfFloats.FromF16Finite(((ushort*)block)[16 + lane]);

    private static int Code(byte* codes, int lane, int k)
    {
        var c = k / 4;
        var at = (lane * 4) + (k % 4);
        if (TFormat.Bits == 8)
        {
            return (sbyte)codes[(c * 64) + at];
        }

        var code = (codes[(c % 4 * 64) + at] >> (c < 4 ? 0 : 4)) & 15;
        return TFormat.Bits switch
        {
            5 => code | (((codes[256 + at] >> c) & 1) << 4),
            6 => code | (((codes[256 + (c / 4 * 64) + at] >> (2 * (c % 4))) & 3) << 4),
            _ => code,
        };
    }

    /// <summary>Scales of the lanes from <paramref name="block"/> on (already moved by two bytes a lane for f16 scales).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TF Scale(byte* block, byte* super, int lane, int half)
    {
        if (!IsSuper)
        {
            return TIsa.LoadF16((ushort*)block + lane);
        }

        var factor = typeof(TFormat) == typeof(PackedQ6K)
            ? TIsa.LoadS8((sbyte*)block + (16 * half) + lane)
            : TIsa.LoadU8(block + lane);
        return TIsa.Mul(TIsa.LoadF16((ushort*)super + lane), factor);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TF Minimum(byte* block, byte* super, int lane) => IsSuper
        ? TIsa.Mul(TIsa.LoadF16((ushort*)super + 16 + lane), TIsa.LoadU8(block + 16 + lane))
        : TIsa.LoadF16((ushort*)block + 16 + lane);

    /// <summary>
    /// Codes of column groups j and j + 4, j in [0, 4), as shorts: of each four columns, even holds k0 and k2, odd k1 and k3.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Unpack(byte* codes, int j, out TI even, out TI odd, out TI evenHigh, out TI oddHigh)
    {
        if (typeof(TFormat) == typeof(PackedQ80))
        {
            TIsa.UnpackBytes(codes + (64 * j), out even, out odd);
            TIsa.UnpackBytes(codes + 256 + (64 * j), out evenHigh, out oddHigh);
            return;
        }

        TIsa.UnpackNibbles(codes + (64 * j), out even, out odd, out evenHigh, out oddHigh);
        if (typeof(TFormat) == typeof(PackedQ50) || typeof(TFormat) == typeof(PackedQ51) || typeof(TFormat) == typeof(PackedQ5K))
        {
            // Byte bit c of the plane is the fifth bit of group c: bring it to bit 4 of its short.
            even = TIsa.OrShifted(even, codes + 256, 0, 4 - j, 0x10);
            odd = TIsa.OrShifted(odd, codes + 256, 4 + j, 0, 0x10);
            evenHigh = TIsa.OrShifted(evenHigh, codes + 256, j, 0, 0x10);
            oddHigh = TIsa.OrShifted(oddHigh, codes + 256, 8 + j, 0, 0x10);
        }
        else if (typeof(TFormat) == typeof(PackedQ6K))
        {
            // Byte bits 2j and 2j + 1 of plane 0 (low groups) and 1 (high groups): bring them to bits 4 and 5.
            even = TIsa.OrShifted(even, codes + 256, j < 3 ? 0 : 2, j < 3 ? 4 - (2 * j) : 0, 0x30);
            odd = TIsa.OrShifted(odd, codes + 256, 4 + (2 * j), 0, 0x30);
            evenHigh = TIsa.OrShifted(evenHigh, codes + 320, j < 3 ? 0 : 2, j < 3 ? 4 - (2 * j) : 0, 0x30);
            oddHigh = TIsa.OrShifted(oddHigh, codes + 320, 4 + (2 * j), 0, 0x30);
        }
    }

    /// <summary>acc plus one block: exact integer dots, the offset taken out, scaled by weights' and activations' scales.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TF AddBlock(TF acc, TI low, TI high, TF scale, TF scaleHigh, TF minimum, float* dx, float* dxSum, int* sums)
    {
        if (typeof(TFormat) == typeof(PackedQ6K))
        {
            low = TIsa.SubI(low, TIsa.BroadcastI(sums[0] * 32));
            high = TIsa.SubI(high, TIsa.BroadcastI(sums[1] * 32));
            acc = TIsa.Fma(TIsa.Mul(scale, TIsa.Broadcast(*dx)), TIsa.ToFloat(low), acc);
            return TIsa.Fma(TIsa.Mul(scaleHigh, TIsa.Broadcast(*dx)), TIsa.ToFloat(high), acc);
        }

        low = TIsa.AddI(low, high);
        if (typeof(TFormat) == typeof(PackedQ40) || typeof(TFormat) == typeof(PackedQ50))
        {
            low = TIsa.SubI(low, TIsa.BroadcastI((sums[0] + sums[1]) * TFormat.Offset));
        }

        acc = TIsa.Fma(TIsa.Mul(scale, TIsa.Broadcast(*dx)), TIsa.ToFloat(low), acc);
        return HasMinimum ? TIsa.Fma(minimum, TIsa.Broadcast(*dxSum), acc) : acc;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Prefetch(byte* from, int bytes)
    {
        if (Sse.IsSupported)
        {
            for (var i = 0; i < bytes; i += 64)
            {
                Sse.Prefetch0(from + i);
            }
        }
    }

    /// <summary>One row; its accumulator stays in a register.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void OneRow(byte* weights, int lane, int columns, int row, float* accumulator, in LinearArgs args)
    {
        byte* super = null;
        var blocks = columns / 32;
        var blockBytes = PackedLayout<TFormat>.BlockBytes;
        var superBytes = PackedLayout<TFormat>.SuperBytes;
        var codesAt = PackedLayout<TFormat>.ScaleBytes + (4 * lane);
        var x = (int*)(args.Q + ((long)row * args.QStride));
        var dx = args.Scale + ((long)row * args.BlockStride);
        var dxSum = args.ScaledSum + ((long)row * args.BlockStride);
        var sums = args.Sum16 + ((long)row * args.BlockStride * 2);
        var acc = TIsa.Zero;
        for (var b = 0; b < blocks; b++)
        {
            if (IsSuper && (b & 7) == 0)
            {
                super = weights;
                weights += superBytes;
            }

            // The hardware's own prefetching stops at each page: one row reads too little per page to hide that.
            Prefetch(weights + PrefetchBytes, blockBytes);
            var codes = weights + codesAt;
            Unpack(codes, 0, out var e0, out var o0, out var e4, out var o4);
            Unpack(codes, 1, out var e1, out var o1, out var e5, out var o5);
            Unpack(codes, 2, out var e2, out var o2, out var e6, out var o6);
            Unpack(codes, 3, out var e3, out var o3, out var e7, out var o7);
            var scale = Scale(weights, super, lane, 0);
            var scaleHigh = typeof(TFormat) == typeof(PackedQ6K) ? Scale(weights, super, lane, 1) : default;
            var minimum = HasMinimum ? Minimum(weights, super, lane) : default;
            var low = TIsa.Dot8(x, e0, o0, e1, o1, e2, o2, e3, o3);
            var high = TIsa.Dot8(x + 8, e4, o4, e5, o5, e6, o6, e7, o7);
            acc = AddBlock(acc, low, high, scale, scaleHigh, minimum, dx + b, dxSum + b, sums + (2 * b));
            x += 16;
            weights += blockBytes;
        }

        TIsa.Store(accumulator, acc);
    }

    /// <summary>Several rows; their accumulators lie in <paramref name="accumulators"/>, 16 floats apart.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void ManyRows(
        byte* weights, int lane, int columns, int row, int rows, float* accumulators, in LinearArgs args)
    {
        byte* super = null;
        var blocks = columns / 32;
        var blockBytes = PackedLayout<TFormat>.BlockBytes;
        var superBytes = PackedLayout<TFormat>.SuperBytes;
        var codesAt = PackedLayout<TFormat>.ScaleBytes + (4 * lane);
        long xStride = args.QStride / 2;
        long stride = args.BlockStride;
        var inputs = (int*)(args.Q + ((long)row * args.QStride));
        var scales = args.Scale + (row * stride);
        var scaledSums = args.ScaledSum + (row * stride);
        var blockSums = args.Sum16 + (row * stride * 2);
        for (var i = 0; i < rows; i++)
        {
            TIsa.Store(accumulators + (16 * i), TIsa.Zero);
        }

        for (var b = 0; b < blocks; b++)
        {
            if (IsSuper && (b & 7) == 0)
            {
                super = weights;
                weights += superBytes;
            }

            var codes = weights + codesAt;
            Unpack(codes, 0, out var e0, out var o0, out var e4, out var o4);
            Unpack(codes, 1, out var e1, out var o1, out var e5, out var o5);
            Unpack(codes, 2, out var e2, out var o2, out var e6, out var o6);
            Unpack(codes, 3, out var e3, out var o3, out var e7, out var o7);
            var scale = Scale(weights, super, lane, 0);
            var scaleHigh = typeof(TFormat) == typeof(PackedQ6K) ? Scale(weights, super, lane, 1) : default;
            var minimum = HasMinimum ? Minimum(weights, super, lane) : default;
            var x = inputs;
            var dx = scales;
            var dxSum = scaledSums;
            var sums = blockSums;
            var acc = accumulators;
            for (var i = 0; i < rows; i++)
            {
                var low = TIsa.Dot8(x, e0, o0, e1, o1, e2, o2, e3, o3);
                var high = TIsa.Dot8(x + 8, e4, o4, e5, o5, e6, o6, e7, o7);
                TIsa.Store(acc, AddBlock(TIsa.Load(acc), low, high, scale, scaleHigh, minimum, dx, dxSum, sums));
                x += xStride;
                dx += stride;
                dxSum += stride;
                sums += 2 * stride;
                acc += 16;
            }

            inputs += 16;
            scales++;
            scaledSums++;
            blockSums += 2;
            weights += blockBytes;
        }
    }
}
