using System.Diagnostics.CodeAnalysis;
using Parallax.Runtime.Models;

namespace Parallax.Runtime.Weights;

/// <summary>The tensors of a checkpoint by name, and how one is opened as a matrix of an expected shape.</summary>
internal sealed class TensorTable
{
    /// <summary>Tensors of one file; the largest published checkpoints have under 100,000 in all.</summary>
    public const int MaxTensors = 1 << 20;

    private readonly Dictionary<string, StoredTensor> _tensors = new(StringComparer.Ordinal);

    /// <param name="location">The file or folder, for messages.</param>
    public TensorTable(string location) => Location = location;

    public string Location { get; }

    public IReadOnlyCollection<StoredTensor> Tensors => _tensors.Values;

    /// <returns>False when a tensor of that name is already there.</returns>
    public bool TryAdd(StoredTensor tensor) => _tensors.TryAdd(tensor.Name, tensor);

    public bool TryGet(string name, [NotNullWhen(true)] out StoredTensor? tensor) => _tensors.TryGetValue(name, out tensor);

    /// <inheritdoc cref="IWeightSource.Open"/>
    public unsafe WeightTensor Open(TensorRef reference, int rows, int columns)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(rows);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(columns);
        if (!_tensors.TryGetValue(reference.Name, out var tensor))
        {
            throw new ModelFormatException(Location, $"the tensor is missing; expected shape {Expected(reference, rows, columns)}", reference.Name);
        }

        if (tensor.Format is not { } format)
        {
            throw new ModelFormatException(tensor.FilePath, $"dtype {tensor.Dtype} is not supported (supported: {string.Join(", ", Enum.GetNames<TensorFormat>())})", reference.Name);
        }

        if (!Fits(tensor, reference.Slice, rows, columns))
        {
            throw new ModelFormatException(tensor.FilePath, $"has shape {tensor.ShapeText}, expected {Expected(reference, rows, columns)}", reference.Name);
        }

        // The extents were checked when the file was opened; a row must also fit what a span can address.
        var rowBytes = format.RowBytes(columns);
        if (rowBytes > int.MaxValue)
        {
            throw new ModelFormatException(tensor.FilePath, $"a row of {columns} elements has {rowBytes} bytes, at most {int.MaxValue} are supported", reference.Name);
        }

        var length = rowBytes * rows;
        var offset = tensor.Offset + ((reference.Slice ?? 0) * length);
        return new WeightTensor(reference.ToString(), format, rows, columns, tensor.File.Address(offset, length));
    }

    /// <summary>
    /// Checks that no two extents overlap.
    /// </summary>
    /// <param name="tensors">Tensors of one file.</param>
    /// <returns>The tensors by offset.</returns>
    public static StoredTensor[] RefuseOverlaps(IEnumerable<StoredTensor> tensors)
    {
        StoredTensor[] sorted = [.. tensors.OrderBy(t => t.Offset).ThenBy(t => t.ByteLength)];
        for (var i = 1; i < sorted.Length; i++)
        {
            if (sorted[i].Offset < sorted[i - 1].Offset + sorted[i - 1].ByteLength)
            {
                throw new ModelFormatException(sorted[i].FilePath, $"its bytes overlap those of '{sorted[i - 1].Name}'", sorted[i].Name);
            }
        }

        return sorted;
    }

    private static bool Fits(StoredTensor tensor, int? slice, int rows, int columns)
    {
        var shape = tensor.Shape.AsSpan();
        if (slice is { } index)
        {
            if (shape.Length < 2 || index < 0 || index >= shape[0])
            {
                return false;
            }

            shape = shape[1..];
        }

        return shape.Length switch
        {
            1 => rows == 1 && shape[0] == columns,
            2 => shape[0] == rows && shape[1] == columns,
            _ => false,
        };
    }

    private static string Expected(TensorRef reference, int rows, int columns)
    {
        var matrix = rows == 1 ? $"{columns}" : $"{rows}, {columns}";
        return reference.Slice is { } slice ? $"[more than {slice}, {matrix}]" : $"[{matrix}]";
    }
}
