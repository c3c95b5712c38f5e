using System.Runtime.CompilerServices;
using Parallax.Runtime.Weights;

namespace Parallax.Runtime.Cpu.Packing;

/// <summary>Rearranges a stored quantised tensor into packed groups of 16 rows; no value changes.</summary>
internal static unsafe class Packer<TFormat>
    where TFormat : struct, IPackedFormat
{
    /// <exception cref="InvalidDataException">A scale is infinite or not a number; the message names the row.</exception>
    public static void Pack(WeightTensor source, byte* target, CpuThreadPool pool)
    {
        var job = new Job
        {
            Source = source.Data,
            Format = source.Format,
            Rows = source.Rows,
            Columns = source.Columns,
            RowLength = source.RowLength,
            Target = target,
        };
        pool.Run((source.Rows + 15) / 16, job);
        if (job.BadRow >= 0)
        {
            throw new InvalidDataException($"row {job.BadRow} of tensor '{source.Name}' has an infinite or undefined scale");
        }
    }

    private static void PackGroup(Job job, int group)
    {
        var columns = job.Columns;
        var target = job.Target + (group * PackedLayout<TFormat>.GroupBytes(columns));
        var rows = Math.Min(16, job.Rows - (group * 16));
        Span<byte> codes = stackalloc byte[32];
        var fields = new BlockFields { Codes = codes };
        for (var lane = 0; lane < rows; lane++)
        {
            var row = new ReadOnlySpan<byte>(job.Source + ((((long)group * 16) + lane) * job.RowLength), job.RowLength);
            var block = target;
            for (var b = 0; b < columns / 32; b++)
            {
                byte* super = null;
                fields.Read(job.Format, row, b);
                if (TFormat.IsSuper && b % 8 == 0)
                {
                    super = block;
                    block += PackedLayout<TFormat>.SuperBytes;
                }

                if (!IsFinite(fields.Scale) || (TFormat.HasMinimum && !IsFinite(fields.Minimum)))
                {
                    job.BadRow = (group * 16) + lane;
                }

                PutScales(block, super, lane, in fields);
                PutCodes(block + PackedLayout<TFormat>.ScaleBytes, lane, codes);
                block += PackedLayout<TFormat>.BlockBytes;
            }
        }
    }

    private static void PutScales(byte* block, byte* super, int lane, in BlockFields fields)
    {
        if (!TFormat.IsSuper)
        {
            ((ushort*)block)[lane] = fields.Scale;
            if (TFormat.HasMinimum)
            {
                ((ushort*)block)[16 + lane] = fields.Minimum;
            }

            return;
        }

        if (super is not null)
        {
            ((ushort*)super)[lane] = fields.Scale;
            if (TFormat.HasMinimum)
            {
                ((ushort*)super)[16 + lane] = fields.Minimum;
            }
        }

        block[lane] = fields.FactorLow;
        if (TFormat.HasMinimum)
        {
            block[16 + lane] = fields.MinimumFactor;
        }
        else if (TFormat.HalfBlocks)
        {
            block[16 + lane] = fields.FactorHigh;
        }
    }

    private static void PutCodes(byte* target, int lane, ReadOnlySpan<byte> codes)
    {
        for (var k = 0; k < 32; k++)
        {
            var c = k / 4;
            var at = (lane * 4) + (k % 4);
            if (TFormat.Bits == 8)
            {
                target[(c * 64) + at] = codes[k];
                continue;
            }

            target[(c % 4 * 64) + at] |= (byte)((codes[k] & 15) << (c < 4 ? 0 : 4));
            if (TFormat.Bits == 5)
            {
                target[256 + at] |= (byte)(codes[k] >> 4 << c);
            }
            else if (TFormat.Bits == 6)
            {
                target[256 + (c / 4 * 64) + at] |= (byte)(codes[k] >> 4 << (2 * (c % 4)));
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static bool IsFinite(ushort half) => (half & 0x7C00) != 0x7C00;

    private sealed class Job : CpuWork
    {
        public byte* Source;
        public TensorFormat Format;
        public int Rows;
        public int Columns;
        public int RowLength;
        public byte* Target;
        public volatile int BadRow = -1;

        public override void Execute(int task) => PackGroup(this, task);
    }
}
