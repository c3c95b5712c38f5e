using Parallax.Runtime.Cpu.Kernels;
using Parallax.Runtime.Cpu.Packing;
using Parallax.Runtime.Cpu.Simd;
using Parallax.Runtime.Weights;

namespace Parallax.Runtime.Cpu;

/// <summary>A quantised matrix, repacked at load into groups of 16 rows (<see cref="PackedLayout{TFormat}"/>).</summary>
internal sealed unsafe class PackedMatrix<TIsa, TF, TI, TFormat> : CpuMatrix
    where TIsa : struct, IIsa<TF, TI>
    where TF : unmanaged
    where TI : unmanaged
    where TFormat : struct, IPackedFormat
{
    public PackedMatrix(WeightTensor source, CpuThreadPool pool)
        : base(source.Name, source.Rows, source.Columns, SizeOf(source.Rows, source.Columns))
    {
        Packer<TFormat>.Pack(source, Buffer.Data, pool);
    }

    /// <summary>Bytes of a matrix [rows, columns].</summary>
    public static long SizeOf(int rows, int columns) => (rows + 15L) / 16 * PackedLayout<TFormat>.GroupBytes(columns);

    public override bool WantsQuantizedInput => true;

    public override void Multiply(int first, int last, in LinearArgs args) =>
        PackedDot<TIsa, TF, TI, TFormat>.Run(Buffer.Data, Columns, first, last, in args);

    public override void ReadRow(int row, float* target) =>
        PackedDot<TIsa, TF, TI, TFormat>.ReadRow(Buffer.Data, Columns, row, target);
}
