using System.Buffers.Binary;
using Parallax.Runtime.Models;

namespace Parallax.Runtime.Weights;

/// <summary>
/// One safetensors file: a little-endian u64 with the header's length, a JSON header (name, dtype, shape and byte range
/// of each tensor), then the tensors' bytes. Weights of dtype F32, F16 and BF16 can be opened; others are listed.
/// </summary>
public sealed class SafetensorsFile : IWeightSource
{
    /// <summary>The format's own limit on the header.</summary>
    private const long MaxHeaderBytes = 100_000_000;

    private readonly MappedFile _file;
    private readonly TensorTable _table;

    private SafetensorsFile(MappedFile file, TensorTable table)
    {
        _file = file;
        _table = table;
    }

    /// <inheritdoc/>
    public string Location => _file.Path;

    /// <summary>All tensors of the file.</summary>
    public IReadOnlyCollection<StoredTensor> Tensors => _table.Tensors;

    internal TensorTable Table => _table;

    /// <summary>Maps a file and checks its header: every tensor lies in the file, none overlap, no byte is left over.</summary>
    /// <exception cref="ModelFormatException">Missing, cut short, or lying about its contents.</exception>
    public static SafetensorsFile Open(string path)
    {
        var file = MappedFile.Open(path);
        try
        {
            return new SafetensorsFile(file, ReadTable(file));
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public bool Contains(string name) => _table.TryGet(name, out _);

    /// <inheritdoc/>
    public WeightTensor Open(TensorRef reference, int rows, int columns) => _table.Open(reference, rows, columns);

    /// <summary>The tensor of that name.</summary>
    /// <exception cref="ModelFormatException">There is none.</exception>
    public StoredTensor Tensor(string name) =>
        _table.TryGet(name, out var tensor) ? tensor : throw new ModelFormatException(Location, "the tensor is missing", name);

    /// <inheritdoc/>
    public void Dispose() => _file.Dispose();

    private static TensorTable ReadTable(MappedFile file)
    {
        if (file.Length < 8)
        {
            throw new ModelFormatException(file.Path, $"cut short: {file.Length} bytes, a safetensors file starts with 8 bytes of header length");
        }

        var headerLength = BinaryPrimitives.ReadUInt64LittleEndian(file.Bytes(0, 8));
        if (headerLength > (ulong)(file.Length - 8))
        {
            throw new ModelFormatException(file.Path, $"cut short or not a safetensors file: its header claims {headerLength} bytes, {file.Length - 8} follow");
        }

        if (headerLength > MaxHeaderBytes)
        {
            throw new ModelFormatException(file.Path, $"its header of {headerLength} bytes exceeds the format's limit of {MaxHeaderBytes}");
        }

        var dataStart = 8 + (long)headerLength;
        var table = new TensorTable(file.Path);
        foreach (var tensor in SafetensorsHeader.Read(file, file.Bytes(8, (int)headerLength), dataStart))
        {
            if (!table.TryAdd(tensor))
            {
                throw new ModelFormatException(file.Path, "the tensor is listed twice", tensor.Name);
            }
        }

        RefuseHoles(file, table, dataStart);
        return table;
    }

    /// <summary>The format demands that the tensors cover the data exactly; anything else hides or misses bytes.</summary>
    private static void RefuseHoles(MappedFile file, TensorTable table, long dataStart)
    {
        var end = dataStart;
        foreach (var tensor in TensorTable.RefuseOverlaps(table.Tensors))
        {
            if (tensor.Offset != end)
            {
                throw new ModelFormatException(file.Path, $"{tensor.Offset - end} bytes before it belong to no tensor", tensor.Name);
            }

            end = tensor.Offset + tensor.ByteLength;
        }

        if (end != file.Length)
        {
            throw new ModelFormatException(file.Path, $"{file.Length - end} bytes after the last tensor belong to no tensor");
        }
    }
}
