namespace Parallax.Runtime.Weights;

/// <summary>
/// A read-only view of one stored tensor as a matrix [rows, columns], row-major, outermost dimension first
/// (a vector is one row). The bytes lie in a memory-mapped file and are valid until its source is disposed.
/// </summary>
public sealed unsafe class WeightTensor
{
    private readonly byte* _data;

    /// <param name="name">The tensor's name in its file.</param>
    /// <param name="format">How elements are encoded.</param>
    /// <param name="rows">Rows (output features).</param>
    /// <param name="columns">Columns (input features); fills whole blocks of the format.</param>
    /// <param name="data">The first row's first byte.</param>
    public WeightTensor(string name, TensorFormat format, int rows, int columns, byte* data)
    {
        Name = name;
        Format = format;
        Rows = rows;
        Columns = columns;
        RowLength = checked((int)format.RowBytes(columns));
        _data = data;
    }

    /// <summary>The tensor's name in its file.</summary>
    public string Name { get; }

    /// <summary>How elements are encoded.</summary>
    public TensorFormat Format { get; }

    /// <summary>Rows (output features).</summary>
    public int Rows { get; }

    /// <summary>Columns (input features).</summary>
    public int Columns { get; }

    /// <summary>Bytes per row.</summary>
    public int RowLength { get; }

    /// <summary>The first row's first byte, for kernels that pack whole tensors.</summary>
    internal byte* Data => _data;

    /// <summary>The encoded bytes of one row.</summary>
    public ReadOnlySpan<byte> Row(int row)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(row);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(row, Rows);
        return new ReadOnlySpan<byte>(_data + ((long)row * RowLength), RowLength);
    }
}
