using Parallax.Runtime.Execution;

namespace Parallax.Runtime.Cpu;

/// <summary>Activations [rows, Stride] in f32; elements beyond the columns are zero, up to a multiple of 16.</summary>
internal sealed unsafe class CpuTensor(int columns, int stride) : DeviceTensor(columns)
{
    private CpuBuffer? _buffer;

    public CpuTensor(int columns)
        : this(columns, Pad(columns))
    {
    }

    /// <summary>Elements from row to row, a multiple of 16.</summary>
    public int Stride { get; } = stride;

    /// <summary>The first row; valid until Resize or Dispose.</summary>
    public float* Data => _buffer is null ? null : (float*)_buffer.Data;

    public static int Pad(int columns) => (columns + 15) / 16 * 16;

    public float* Row(int row) => Data + ((long)row * Stride);

    public override void Resize(int rows)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(rows);
        var needed = Math.Max(1, (long)rows) * Stride * sizeof(float);
        if (_buffer is null || _buffer.Bytes < needed)
        {
            _buffer?.Dispose();
            _buffer = new CpuBuffer(needed);
        }

        Rows = rows;
    }

    public override void Upload(ReadOnlySpan<float> values)
    {
        Check(values.Length);
        for (var row = 0; row < Rows; row++)
        {
            values.Slice(row * Columns, Columns).CopyTo(new Span<float>(Row(row), Columns));
        }
    }

    public override void Download(Span<float> values)
    {
        Check(values.Length);
        for (var row = 0; row < Rows; row++)
        {
            new ReadOnlySpan<float>(Row(row), Columns).CopyTo(values.Slice(row * Columns, Columns));
        }
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _buffer?.Dispose();
        }
    }

    private void Check(int length)
    {
        if (length != (long)Rows * Columns)
        {
            throw new ArgumentException($"{length} values for [{Rows}, {Columns}]");
        }
    }
}
