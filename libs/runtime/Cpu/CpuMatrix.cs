using Parallax.Runtime.Execution;

namespace Parallax.Runtime.Cpu;

/// <summary>A weight matrix [Rows, Columns] in the order its kernel reads it.</summary>
internal abstract unsafe class CpuMatrix : DeviceMatrix
{
    protected CpuMatrix(string name, int rows, int columns, long bytes)
        : base(name, rows, columns, bytes)
    {
        Buffer = new CpuBuffer(Math.Max(bytes, 1));
    }

    /// <summary>Groups of 16 rows, the last one padded with zeros.</summary>
    public int Groups => (Rows + 15) / 16;

    /// <summary>Whether the kernel reads quantised activations instead of f32.</summary>
    public virtual bool WantsQuantizedInput => false;

    protected CpuBuffer Buffer { get; }

    /// <summary>Computes outputs of row groups [first, last).</summary>
    public abstract void Multiply(int first, int last, in LinearArgs args);

    /// <summary>Expands one row to f32 [Columns].</summary>
    public abstract void ReadRow(int row, float* target);

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            Buffer.Dispose();
        }
    }
}
