using Parallax.Runtime.Cpu.Kernels;
using Parallax.Runtime.Cpu.Simd;
using Parallax.Runtime.Numerics;
using Parallax.Runtime.Weights;

namespace Parallax.Runtime.Cpu;

/// <summary>An f32, f16 or bf16 matrix, row-major, rows padded with zeros to 16 columns and to 16 rows.</summary>
internal sealed unsafe class PlainMatrix<TIsa, TF, TI, TFormat> : CpuMatrix
    where TIsa : struct, IIsa<TF, TI>
    where TF : unmanaged
    where TI : unmanaged
    where TFormat : struct, IPlainFormat
{
    private readonly int _padded;

    public PlainMatrix(WeightTensor source)
        : base(source.Name, source.Rows, source.Columns, SizeOf(source.Rows, source.Columns))
    {
        _padded = (source.Columns + 15) / 16 * 16;
        var rowBytes = (long)_padded * PlainDot<TIsa, TF, TI, TFormat>.ElementBytes;
        for (var row = 0; row < source.Rows; row++)
        {
            var bytes = source.Row(row);
            if (TFormat.Format == TensorFormat.F16)
            {
                CheckFinite(source.Name, row, bytes);
            }

            bytes.CopyTo(new Span<byte>(Buffer.Data + (row * rowBytes), bytes.Length));
        }
    }

    /// <summary>Bytes of a matrix [rows, columns].</summary>
    public static long SizeOf(int rows, int columns) =>
        (rows + 15L) / 16 * 16 * ((columns + 15L) / 16 * 16) * PlainDot<TIsa, TF, TI, TFormat>.ElementBytes;

    public override void Multiply(int first, int last, in LinearArgs args) =>
        PlainDot<TIsa, TF, TI, TFormat>.Run(Buffer.Data, _padded, first, last, in args);

    public override void ReadRow(int row, float* target)
    {
        var source = Buffer.Data + ((long)row * _padded * PlainDot<TIsa, TF, TI, TFormat>.ElementBytes);
        for (var k = 0; k < Columns; k++)
        {
            target[k] = TFormat.Format switch
            {
                TensorFormat.F32 => ((float*)source)[k],
                TensorFormat.BF16 => HalfFloats.FromBf16(((ushort*)source)[k]),
                _ => HalfFloats.FromF16Finite(((ushort*)source)[k]),
            };
        }
    }

    private static void CheckFinite(string name, int row, ReadOnlySpan<byte> bytes)
    {
        foreach (var half in System.Runtime.InteropServices.MemoryMarshal.Cast<byte, ushort>(bytes))
        {
            if ((half & 0x7C00) == 0x7C00)
            {
                throw new InvalidDataException($"row {row} of tensor '{name}' has an infinite or undefined value");
            }
        }
    }
}
