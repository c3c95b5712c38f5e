using System.Runtime.CompilerServices;
using Parallax.Runtime.Cpu.Packing;
using Parallax.Runtime.Cpu.Simd;

namespace Parallax.Runtime.Cpu.Kernels;

/// <summary>
/// Linear layers over packed 4-, 5- and 6-bit weights and int8 activations: 16 outputs (a lane each) by 1, 4 or 8 rows.
/// Per output, blocks of 32 columns in order: acc = fma(dw * dx, (float)dot, acc), then, with a minimum,
/// acc = fma(mw, dx * sum, acc). The integer dot is exact, so tiles and instruction sets cannot differ.
/// </summary>
internal static unsafe class PackedDot<TIsa, TF, TB, TFormat>
    where TIsa : struct, IIsa<TF, TB>
    where TF : unmanaged
    where TB : unmanaged
    where TFormat : struct, IPackedFormat
{
    /// <summary>Computes output groups [first, last) of all rows.</summary>
    /// <param name="data">The packed matrix.</param>
    /// <param name="columns">Its columns.</param>
    /// <param name="first">First group of 16 outputs.</param>
    /// <param name="last">One past the last group.</param>
    /// <param name="args">Inputs and outputs; Out points at the matrix's first output column.</param>
    public static void Run(byte* data, int columns, int first, int last, in LinearArgs args)
    {
        var groupBytes = PackedLayout<TFormat>.GroupBytes(columns);
        for (var group = first; group < last; group++)
        {
            var weights = data + (group * groupBytes);
            var row = 0;
            for (; args.Rows - row > 4; row += 8)
            {
                Tile8(weights, columns, group * 16, row, in args);
            }

            if (args.Rows - row > 1)
            {
                Tile4(weights, columns, group * 16, row, in args);
            }
            else if (args.Rows - row == 1)
            {
                Tile1(weights, columns, group * 16, row, in args);
            }
        }
    }

    /// <summary>Expands one row to f32: value = scale * (code - offset), plus the minimum; each step rounded.</summary>
    public static void ReadRow(byte* data, int columns, int row, float* target)
    {
        var group = data + (row / 16 * PackedLayout<TFormat>.GroupBytes(columns));
        var lane = row % 16;
        byte* super = null;
        var block = group;
        var lanes = stackalloc float[16];
        for (var b = 0; b < columns / 32; b++)
        {
            if (TFormat.IsSuper && b % 8 == 0)
            {
                super = block;
                block += PackedLayout<TFormat>.SuperBytes;
            }

            TIsa.Store(lanes, Scale(block, super, 0));
            var scaleLow = lanes[lane];
            TIsa.Store(lanes, Scale(block, super, TFormat.HalfBlocks ? 1 : 0));
            var scaleHigh = lanes[lane];
            var minimum = 0f;
            if (TFormat.HasMinimum)
            {
                TIsa.Store(lanes, Minimum(block, super));
                minimum = lanes[lane];
            }

            for (var k = 0; k < 32; k++)
            {
                var code = Code(block + PackedLayout<TFormat>.ScaleBytes, lane, k) - TFormat.Offset;
                target[(b * 32) + k] = ((k < 16 ? scaleLow : scaleHigh) * code) + minimum;
            }

            block += PackedLayout<TFormat>.BlockBytes;
        }
    }

    private static int Code(byte* codes, int lane, int k)
    {
        var c = k / 4;
        var at = (lane * 4) + (k % 4);
        var code = (codes[(c % 4 * 64) + at] >> (c < 4 ? 0 : 4)) & 15;
        return TFormat.Bits switch
        {
            5 => code | (((codes[256 + at] >> c) & 1) << 4),
            6 => code | (((codes[256 + (c / 4 * 64) + at] >> (2 * (c % 4))) & 3) << 4),
            _ => code,
        };
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TF Scale(byte* block, byte* super, int half)
    {
        if (!TFormat.IsSuper)
        {
            return TIsa.LoadF16((ushort*)block);
        }

        var factor = TFormat.HalfBlocks ? TIsa.LoadS8((sbyte*)block + (16 * half)) : TIsa.LoadU8(block);
        return TIsa.Mul(TIsa.LoadF16((ushort*)super), factor);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TF Minimum(byte* block, byte* super) => TFormat.IsSuper
        ? TIsa.Mul(TIsa.LoadF16((ushort*)(super + 32)), TIsa.LoadU8(block + 16))
        : TIsa.LoadF16((ushort*)(block + 32));

    /// <summary>Codes of column groups j (low) and j + 4 (high), j in [0, 4).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Unpack(byte* codes, int j, TB mask, out TB low, out TB high)
    {
        var packed = TIsa.LoadB(codes + (64 * j));
        low = TIsa.And(packed, mask);
        high = TIsa.And(TIsa.ShiftRightLogical16(packed, 4), mask);
        if (TFormat.Bits == 5)
        {
            var plane = TIsa.LoadB(codes + 256);
            var bit = TIsa.Broadcast32(0x1010_1010);
            var lowBit = j < 4 ? TIsa.ShiftLeft16(plane, 4 - j) : plane;
            var highBit = j == 0 ? plane : TIsa.ShiftRightLogical16(plane, j);
            low = TIsa.Or(low, TIsa.And(lowBit, bit));
            high = TIsa.Or(high, TIsa.And(highBit, bit));
        }
        else if (TFormat.Bits == 6)
        {
            var bits = TIsa.Broadcast32(0x3030_3030);
            low = TIsa.Or(low, TIsa.And(Aligned(TIsa.LoadB(codes + 256), j), bits));
            high = TIsa.Or(high, TIsa.And(Aligned(TIsa.LoadB(codes + 320), j), bits));
        }
    }

    /// <summary>Bits [2j, 2j + 2) of each byte, moved to bits 4 and 5 (other bits are rubbish).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TB Aligned(TB plane, int j) => j switch
    {
        0 => TIsa.ShiftLeft16(plane, 4),
        1 => TIsa.ShiftLeft16(plane, 2),
        2 => plane,
        _ => TIsa.ShiftRightLogical16(plane, 2),
    };

    /// <summary>Four exact products per lane of four activation bytes; as shorts, or as ints where the hardware adds them.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TB Accumulate(TB sum, TB codes, int activations)
    {
        var x = TIsa.Broadcast32(activations);
        return TIsa.HasDotU8S8 ? TIsa.DotU8S8(sum, codes, x) : TIsa.AddI16(sum, TIsa.MaddU8S8(codes, x));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TB First(TB codes, int activations)
    {
        var x = TIsa.Broadcast32(activations);
        return TIsa.HasDotU8S8 ? TIsa.DotU8S8(TIsa.ZeroB, codes, x) : TIsa.MaddU8S8(codes, x);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TB ToInts(TB sum) => TIsa.HasDotU8S8 ? sum : TIsa.MaddI16(sum, TIsa.Broadcast32(0x0001_0001));

    /// <summary>
    /// The dot of one block with one row's 32 activations. Shorts cannot overflow: 8 sums of two products of 15 * 127,
    /// 4 of 31 * 127, or 2 of 63 * 127 stay below 32,768.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void BlockDot(byte* codes, TB mask, int* x, out TB low, out TB high)
    {
        Unpack(codes, 0, mask, out var l0, out var h0);
        Unpack(codes, 1, mask, out var l1, out var h1);
        Unpack(codes, 2, mask, out var l2, out var h2);
        Unpack(codes, 3, mask, out var l3, out var h3);
        if (TFormat.Bits == 6)
        {
            low = TIsa.AddI32(ToInts(Accumulate(First(l0, x[0]), l1, x[1])), ToInts(Accumulate(First(l2, x[2]), l3, x[3])));
            high = TIsa.AddI32(ToInts(Accumulate(First(h0, x[4]), h1, x[5])), ToInts(Accumulate(First(h2, x[6]), h3, x[7])));
            return;
        }

        var a = Accumulate(Accumulate(Accumulate(First(l0, x[0]), l1, x[1]), l2, x[2]), l3, x[3]);
        if (TFormat.Bits == 5)
        {
            var b = Accumulate(Accumulate(Accumulate(First(h0, x[4]), h1, x[5]), h2, x[6]), h3, x[7]);
            low = TIsa.AddI32(ToInts(a), ToInts(b));
        }
        else
        {
            a = Accumulate(Accumulate(Accumulate(Accumulate(a, h0, x[4]), h1, x[5]), h2, x[6]), h3, x[7]);
            low = ToInts(a);
        }

        high = default;
    }

    /// <summary>Adds one block's contribution to one row's accumulator.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TF Scaled(TF acc, TB low, TB high, TF scaleLow, TF scaleHigh, TF minimum, float dx, float dxSum, int* sums)
    {
        var factor = TIsa.Broadcast(dx);
        if (TFormat.HalfBlocks)
        {
            low = TIsa.SubI32(low, TIsa.Broadcast32(sums[0] * TFormat.Offset));
            high = TIsa.SubI32(high, TIsa.Broadcast32(sums[1] * TFormat.Offset));
            acc = TIsa.Fma(TIsa.Mul(scaleLow, factor), TIsa.ToFloat(low), acc);
            return TIsa.Fma(TIsa.Mul(scaleHigh, factor), TIsa.ToFloat(high), acc);
        }

        if (TFormat.Offset != 0)
        {
            low = TIsa.SubI32(low, TIsa.Broadcast32((sums[0] + sums[1]) * TFormat.Offset));
        }

        acc = TIsa.Fma(TIsa.Mul(scaleLow, factor), TIsa.ToFloat(low), acc);
        return TFormat.HasMinimum ? TIsa.Fma(minimum, TIsa.Broadcast(dxSum), acc) : acc;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Tile1(byte* weights, int columns, int column, int row, in LinearArgs args)
    {
        var mask = TIsa.Broadcast32(0x0F0F_0F0F);
        var acc = TIsa.Zero;
        byte* super = null;
        var x = (int*)(args.Q + ((long)row * args.QStride));
        var dx = args.Scale + ((long)row * args.BlockStride);
        var dxSum = args.ScaledSum + ((long)row * args.BlockStride);
        var sums = args.Sum16 + ((long)row * args.BlockStride * 2);
        var blocks = columns / 32;
        for (var b = 0; b < blocks; b++)
        {
            if (TFormat.IsSuper && (b & 7) == 0)
            {
                super = weights;
                weights += PackedLayout<TFormat>.SuperBytes;
            }

            BlockDot(weights + PackedLayout<TFormat>.ScaleBytes, mask, x, out var low, out var high);
            var scale = Scale(weights, super, 0);
            var scaleHigh = TFormat.HalfBlocks ? Scale(weights, super, 1) : default;
            var minimum = TFormat.HasMinimum ? Minimum(weights, super) : default;
            acc = Scaled(acc, low, high, scale, scaleHigh, minimum, dx[b], dxSum[b], sums + (2 * b));
            x += 8;
            weights += PackedLayout<TFormat>.BlockBytes;
        }

        Epilogue<TIsa, TF, TB>.Store(in args, row, column, acc);
    }

    /// <summary>Up to four rows; rows beyond the last repeat it and are not stored.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Tile4(byte* weights, int columns, int column, int row, in LinearArgs args)
    {
        var mask = TIsa.Broadcast32(0x0F0F_0F0F);
        TF a0 = TIsa.Zero, a1 = TIsa.Zero, a2 = TIsa.Zero, a3 = TIsa.Zero;
        byte* super = null;
        var last = args.Rows - 1;
        long r0 = row, r1 = Math.Min(row + 1, last), r2 = Math.Min(row + 2, last), r3 = Math.Min(row + 3, last);
        var x0 = (int*)(args.Q + (r0 * args.QStride));
        var x1 = (int*)(args.Q + (r1 * args.QStride));
        var x2 = (int*)(args.Q + (r2 * args.QStride));
        var x3 = (int*)(args.Q + (r3 * args.QStride));
        var stride = args.BlockStride;
        var dx = args.Scale;
        var dxSum = args.ScaledSum;
        var sums = args.Sum16;
        var blocks = columns / 32;
        for (var b = 0; b < blocks; b++)
        {
            if (TFormat.IsSuper && (b & 7) == 0)
            {
                super = weights;
                weights += PackedLayout<TFormat>.SuperBytes;
            }

            var codes = weights + PackedLayout<TFormat>.ScaleBytes;
            var scale = Scale(weights, super, 0);
            var scaleHigh = TFormat.HalfBlocks ? Scale(weights, super, 1) : default;
            var minimum = TFormat.HasMinimum ? Minimum(weights, super) : default;
            BlockDot(codes, mask, x0, out var low0, out var high0);
            BlockDot(codes, mask, x1, out var low1, out var high1);
            BlockDot(codes, mask, x2, out var low2, out var high2);
            BlockDot(codes, mask, x3, out var low3, out var high3);
            a0 = Scaled(a0, low0, high0, scale, scaleHigh, minimum, dx[(r0 * stride) + b], dxSum[(r0 * stride) + b], sums + (2 * ((r0 * stride) + b)));
            a1 = Scaled(a1, low1, high1, scale, scaleHigh, minimum, dx[(r1 * stride) + b], dxSum[(r1 * stride) + b], sums + (2 * ((r1 * stride) + b)));
            a2 = Scaled(a2, low2, high2, scale, scaleHigh, minimum, dx[(r2 * stride) + b], dxSum[(r2 * stride) + b], sums + (2 * ((r2 * stride) + b)));
            a3 = Scaled(a3, low3, high3, scale, scaleHigh, minimum, dx[(r3 * stride) + b], dxSum[(r3 * stride) + b], sums + (2 * ((r3 * stride) + b)));
            x0 += 8;
            x1 += 8;
            x2 += 8;
            x3 += 8;
            weights += PackedLayout<TFormat>.BlockBytes;
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

    /// <summary>Up to eight rows: each vector of codes is unpacked once for all of them.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Tile8(byte* weights, int columns, int column, int row, in LinearArgs args)
    {
        if (TFormat.Bits == 6)
        {
            Tile4(weights, columns, column, row, in args);
            Tile4(weights, columns, column, row + 4, in args);
            return;
        }

        var mask = TIsa.Broadcast32(0x0F0F_0F0F);
        TF a0 = TIsa.Zero, a1 = TIsa.Zero, a2 = TIsa.Zero, a3 = TIsa.Zero, a4 = TIsa.Zero, a5 = TIsa.Zero, a6 = TIsa.Zero, a7 = TIsa.Zero;
        byte* super = null;
        var last = args.Rows - 1;
        long r0 = Math.Min(row + 0, last), r1 = Math.Min(row + 1, last), r2 = Math.Min(row + 2, last), r3 = Math.Min(row + 3, last), r4 = Math.Min(row + 4, last), r5 = Math.Min(row + 5, last), r6 = Math.Min(row + 6, last), r7 = Math.Min(row + 7, last);
        var x0 = (int*)(args.Q + (r0 * args.QStride));
        var x1 = (int*)(args.Q + (r1 * args.QStride));
        var x2 = (int*)(args.Q + (r2 * args.QStride));
        var x3 = (int*)(args.Q + (r3 * args.QStride));
        var x4 = (int*)(args.Q + (r4 * args.QStride));
        var x5 = (int*)(args.Q + (r5 * args.QStride));
        var x6 = (int*)(args.Q + (r6 * args.QStride));
        var x7 = (int*)(args.Q + (r7 * args.QStride));
        long stride = args.BlockStride;
        var dx = args.Scale;
        var dxSum = args.ScaledSum;
        var sums = args.Sum16;
        var blocks = columns / 32;
        for (var b = 0; b < blocks; b++)
        {
            if (TFormat.IsSuper && (b & 7) == 0)
            {
                super = weights;
                weights += PackedLayout<TFormat>.SuperBytes;
            }

            var codes = weights + PackedLayout<TFormat>.ScaleBytes;
            Unpack(codes, 0, mask, out var low, out var high);
            var s0 = Accumulate(First(low, x0[0]), high, x0[4]);
            var s1 = Accumulate(First(low, x1[0]), high, x1[4]);
            var s2 = Accumulate(First(low, x2[0]), high, x2[4]);
            var s3 = Accumulate(First(low, x3[0]), high, x3[4]);
            var s4 = Accumulate(First(low, x4[0]), high, x4[4]);
            var s5 = Accumulate(First(low, x5[0]), high, x5[4]);
            var s6 = Accumulate(First(low, x6[0]), high, x6[4]);
            var s7 = Accumulate(First(low, x7[0]), high, x7[4]);
            Unpack(codes, 1, mask, out low, out high);
            s0 = Accumulate(Accumulate(s0, low, x0[1]), high, x0[5]);
            s1 = Accumulate(Accumulate(s1, low, x1[1]), high, x1[5]);
            s2 = Accumulate(Accumulate(s2, low, x2[1]), high, x2[5]);
            s3 = Accumulate(Accumulate(s3, low, x3[1]), high, x3[5]);
            s4 = Accumulate(Accumulate(s4, low, x4[1]), high, x4[5]);
            s5 = Accumulate(Accumulate(s5, low, x5[1]), high, x5[5]);
            s6 = Accumulate(Accumulate(s6, low, x6[1]), high, x6[5]);
            s7 = Accumulate(Accumulate(s7, low, x7[1]), high, x7[5]);
            if (TFormat.Bits == 5)
            {
                // Shorts are full after four products of 5-bit codes: go on in a fresh sum, added as ints.
                s0 = ToInts(s0);
                s1 = ToInts(s1);
                s2 = ToInts(s2);
                s3 = ToInts(s3);
                s4 = ToInts(s4);
                s5 = ToInts(s5);
                s6 = ToInts(s6);
                s7 = ToInts(s7);
                Unpack(codes, 2, mask, out low, out high);
                var t0 = Accumulate(First(low, x0[2]), high, x0[6]);
                var t1 = Accumulate(First(low, x1[2]), high, x1[6]);
                var t2 = Accumulate(First(low, x2[2]), high, x2[6]);
                var t3 = Accumulate(First(low, x3[2]), high, x3[6]);
                var t4 = Accumulate(First(low, x4[2]), high, x4[6]);
                var t5 = Accumulate(First(low, x5[2]), high, x5[6]);
                var t6 = Accumulate(First(low, x6[2]), high, x6[6]);
                var t7 = Accumulate(First(low, x7[2]), high, x7[6]);
                Unpack(codes, 3, mask, out low, out high);
                s0 = TIsa.AddI32(s0, ToInts(Accumulate(Accumulate(t0, low, x0[3]), high, x0[7])));
                s1 = TIsa.AddI32(s1, ToInts(Accumulate(Accumulate(t1, low, x1[3]), high, x1[7])));
                s2 = TIsa.AddI32(s2, ToInts(Accumulate(Accumulate(t2, low, x2[3]), high, x2[7])));
                s3 = TIsa.AddI32(s3, ToInts(Accumulate(Accumulate(t3, low, x3[3]), high, x3[7])));
                s4 = TIsa.AddI32(s4, ToInts(Accumulate(Accumulate(t4, low, x4[3]), high, x4[7])));
                s5 = TIsa.AddI32(s5, ToInts(Accumulate(Accumulate(t5, low, x5[3]), high, x5[7])));
                s6 = TIsa.AddI32(s6, ToInts(Accumulate(Accumulate(t6, low, x6[3]), high, x6[7])));
                s7 = TIsa.AddI32(s7, ToInts(Accumulate(Accumulate(t7, low, x7[3]), high, x7[7])));
            }
            else
            {
                Unpack(codes, 2, mask, out low, out high);
                s0 = Accumulate(Accumulate(s0, low, x0[2]), high, x0[6]);
                s1 = Accumulate(Accumulate(s1, low, x1[2]), high, x1[6]);
                s2 = Accumulate(Accumulate(s2, low, x2[2]), high, x2[6]);
                s3 = Accumulate(Accumulate(s3, low, x3[2]), high, x3[6]);
                s4 = Accumulate(Accumulate(s4, low, x4[2]), high, x4[6]);
                s5 = Accumulate(Accumulate(s5, low, x5[2]), high, x5[6]);
                s6 = Accumulate(Accumulate(s6, low, x6[2]), high, x6[6]);
                s7 = Accumulate(Accumulate(s7, low, x7[2]), high, x7[6]);
                Unpack(codes, 3, mask, out low, out high);
                s0 = ToInts(Accumulate(Accumulate(s0, low, x0[3]), high, x0[7]));
                s1 = ToInts(Accumulate(Accumulate(s1, low, x1[3]), high, x1[7]));
                s2 = ToInts(Accumulate(Accumulate(s2, low, x2[3]), high, x2[7]));
                s3 = ToInts(Accumulate(Accumulate(s3, low, x3[3]), high, x3[7]));
                s4 = ToInts(Accumulate(Accumulate(s4, low, x4[3]), high, x4[7]));
                s5 = ToInts(Accumulate(Accumulate(s5, low, x5[3]), high, x5[7]));
                s6 = ToInts(Accumulate(Accumulate(s6, low, x6[3]), high, x6[7]));
                s7 = ToInts(Accumulate(Accumulate(s7, low, x7[3]), high, x7[7]));
            }

            var scale = Scale(weights, super, 0);
            var minimum = TFormat.HasMinimum ? Minimum(weights, super) : default;
            a0 = Scaled(a0, s0, default, scale, default, minimum, dx[(r0 * stride) + b], dxSum[(r0 * stride) + b], sums + (2 * ((r0 * stride) + b)));
            a1 = Scaled(a1, s1, default, scale, default, minimum, dx[(r1 * stride) + b], dxSum[(r1 * stride) + b], sums + (2 * ((r1 * stride) + b)));
            a2 = Scaled(a2, s2, default, scale, default, minimum, dx[(r2 * stride) + b], dxSum[(r2 * stride) + b], sums + (2 * ((r2 * stride) + b)));
            a3 = Scaled(a3, s3, default, scale, default, minimum, dx[(r3 * stride) + b], dxSum[(r3 * stride) + b], sums + (2 * ((r3 * stride) + b)));
            a4 = Scaled(a4, s4, default, scale, default, minimum, dx[(r4 * stride) + b], dxSum[(r4 * stride) + b], sums + (2 * ((r4 * stride) + b)));
            a5 = Scaled(a5, s5, default, scale, default, minimum, dx[(r5 * stride) + b], dxSum[(r5 * stride) + b], sums + (2 * ((r5 * stride) + b)));
            a6 = Scaled(a6, s6, default, scale, default, minimum, dx[(r6 * stride) + b], dxSum[(r6 * stride) + b], sums + (2 * ((r6 * stride) + b)));
            a7 = Scaled(a7, s7, default, scale, default, minimum, dx[(r7 * stride) + b], dxSum[(r7 * stride) + b], sums + (2 * ((r7 * stride) + b)));
            x0 += 8;
            x1 += 8;
            x2 += 8;
            x3 += 8;
            x4 += 8;
            x5 += 8;
            x6 += 8;
            x7 += 8;
            weights += PackedLayout<TFormat>.BlockBytes;
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

        if (row + 4 <= last)
        {
            Epilogue<TIsa, TF, TB>.Store(in args, row + 4, column, a4);
        }

        if (row + 5 <= last)
        {
            Epilogue<TIsa, TF, TB>.Store(in args, row + 5, column, a5);
        }

        if (row + 6 <= last)
        {
            Epilogue<TIsa, TF, TB>.Store(in args, row + 6, column, a6);
        }

        if (row + 7 <= last)
        {
            Epilogue<TIsa, TF, TB>.Store(in args, row + 7, column, a7);
        }
    }
}
