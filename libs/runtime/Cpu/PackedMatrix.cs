using Parallax.Runtime.Cpu.Kernels;
using Parallax.Runtime.Cpu.Packing;
using Parallax.Runtime.Cpu.Simd;
using Parallax.Runtime.Weights;

namespace Parallax.Runtime.Cpu;

/// <summary>A quantised matrix, repacked at load into groups of 16 rows (<see cref="PackedLayout{TFormat}"/>).</summary>
internal sealed unsafe class PackedMatrix<TIsa, TF, TB, TFormat> : CpuMatrix
    where TIsa : struct, IIsa<TF, TB>
    where TF : unmanaged
    where TB : unmanaged
    where TFormat : struct, IPackedFormat
{
    public PackedMatrix(WeightTensor source, CpuThreadPool pool)
        : base(source.Name, source.Rows, source.Columns, (source.Rows + 15) / 16 * PackedLayout<TFormat>.GroupBytes(source.Columns))
    {
        Packer<TFormat>.Pack(source, Buffer.Data, pool);
    }

    public override bool WantsQuantizedInput => true;

    public override bool WantsShorts => TFormat.Bits == 8;

    public override void Multiply(int first, int last, in LinearArgs args)
    {
        if (TFormat.Bits == 8)
        {
            PackedDot8<TIsa, TF, TB>.Run(Buffer.Data, Columns, first, last, in args);
        }
        else
        {
            PackedDot<TIsa, TF, TB, TFormat>.Run(Buffer.Data, Columns, first, last, in args);
        }
    }

    public override void ReadRow(int row, float* target)
    {
        if (TFormat.Bits == 8)
        {
            PackedDot8<TIsa, TF, TB>.ReadRow(Buffer.Data, Columns, row, target);
        }
        else
        {
            PackedDot<TIsa, TF, TB, TFormat>.ReadRow(Buffer.Data, Columns, row, target);
        }
    }
}
