using System.Collections.Immutable;
using System.Numerics;
using Parallax.Runtime.Models;

namespace Parallax.Runtime.Weights;

/// <summary>
/// A GGUF file: metadata and tensors. Dimensions are stored innermost first; here they are outermost first. Versions 2
/// and 3, little-endian (both have the same layout).
/// </summary>
public sealed class GgufFile : IWeightSource
{
    private const uint Magic = 0x46554747;
    private const int DefaultAlignment = 32;
    private const int MaxAlignment = 1 << 20;
    private const int MaxDimensions = 4;

    /// <summary>Real metadata (a vocabulary, mostly) has up to a few tens of megabytes.</summary>
    private const int MaxMetadataBytes = 512 << 20;
    private const int MaxMetadataCount = 1 << 16;

    /// <summary>Least bytes of a metadata entry (a key's length, one byte of it, a type, a value) and of a tensor's (name, 1 dimension, type, offset).</summary>
    private const int LeastMetadataBytes = 14;
    private const int LeastTensorBytes = 33;

    private readonly MappedFile _file;
    private readonly TensorTable _table;
    private readonly long _metadataLength;

    private GgufFile(MappedFile file, GgufMetadata metadata, TensorTable table, long metadataLength)
    {
        _file = file;
        _table = table;
        Metadata = metadata;
        _metadataLength = metadataLength;
    }

    /// <inheritdoc/>
    public string Location => _file.Path;

    /// <summary>The file's metadata.</summary>
    public GgufMetadata Metadata { get; }

    /// <summary>All tensors of the file.</summary>
    public IReadOnlyCollection<StoredTensor> Tensors => _table.Tensors;

    internal TensorTable Table => _table;


    /// <summary>Maps a file and checks header, metadata and tensor extents.</summary>
    /// <exception cref="ModelFormatException">Missing, cut short, or lying about its contents.</exception>
    public static GgufFile Open(string path)
    {
        var file = MappedFile.Open(path);
        try
        {
            return Read(file);
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

    /// <inheritdoc/>
    public void Dispose() => _file.Dispose();

    /// <summary>A copy of the bytes of header and metadata.</summary>
    internal byte[] MetadataBytes()
    {
        var bytes = new byte[_metadataLength];
        _file.Read(0, bytes);
        return bytes;
    }

    private static GgufFile Read(MappedFile file)
    {
        var cursor = new GgufCursor(file, 0);
        if (cursor.U32("magic") != Magic)
        {
            throw new ModelFormatException(file.Path, "not a GGUF file: it does not start with 'GGUF'");
        }

        var version = cursor.U32("version");
        if (version is not (2 or 3))
        {
            var what = BitOperations.RotateLeft(version & 0xFF000000, 8) is 2 or 3 ? "a big-endian GGUF file" : $"GGUF version {version}";
            throw new ModelFormatException(file.Path, $"{what} is not supported (little-endian versions 2 and 3 are)");
        }

        var tensorCount = Limited(file, cursor.Count("tensor count", LeastTensorBytes), TensorTable.MaxTensors, "tensors");
        var metadataCount = Limited(file, cursor.Count("metadata count", LeastMetadataBytes), MaxMetadataCount, "metadata fields");
        var values = new Dictionary<string, GgufValue>(StringComparer.Ordinal);
        for (long i = 0; i < metadataCount; i++)
        {
            var key = cursor.Name($"metadata entry {i}");
            if (!values.TryAdd(key, GgufValue.Read(file, key, ref cursor)))
            {
                throw new ModelFormatException(file.Path, "the metadata field is there twice", key);
            }

            if (cursor.Position > MaxMetadataBytes)
            {
                throw new ModelFormatException(file.Path, $"the metadata exceeds {MaxMetadataBytes} bytes", key);
            }
        }

        var metadata = new GgufMetadata(file.Path, values);
        var metadataLength = cursor.Position;
        var alignment = Alignment(metadata);
        var infos = new List<TensorInfo>();
        for (long i = 0; i < tensorCount; i++)
        {
            infos.Add(ReadInfo(file, ref cursor, i));
        }

        var dataStart = (cursor.Position + alignment - 1) / alignment * alignment;
        var table = new TensorTable(file.Path);
        foreach (var info in infos)
        {
            if (!table.TryAdd(Place(file, info, dataStart, alignment)))
            {
                throw new ModelFormatException(file.Path, "the tensor is listed twice", info.Name);
            }
        }

        TensorTable.RefuseOverlaps(table.Tensors);
        return new GgufFile(file, metadata, table, metadataLength);
    }

    private static long Limited(MappedFile file, long count, int most, string what) =>
        count <= most ? count : throw new ModelFormatException(file.Path, $"claims {count} {what}, at most {most} are supported");

    private static int Alignment(GgufMetadata metadata)
    {
        if (!metadata.TryGet("general.alignment", out var value))
        {
            return DefaultAlignment;
        }

        var alignment = value.AsInteger();
        return alignment is > 0 and <= MaxAlignment && BitOperations.IsPow2(alignment)
            ? (int)alignment
            : throw new ModelFormatException(metadata.File, $"is {alignment}, expected a power of two up to {MaxAlignment}", value.Key);
    }

    private static TensorInfo ReadInfo(MappedFile file, ref GgufCursor cursor, long index)
    {
        var name = cursor.Name($"tensor {index}");
        var dimensions = cursor.U32(name);
        if (dimensions is 0 or > MaxDimensions)
        {
            throw new ModelFormatException(file.Path, $"has {dimensions} dimensions, expected 1 to {MaxDimensions}", name);
        }

        // Innermost first in the file.
        var shape = new long[dimensions];
        UInt128 elements = 1;
        for (var i = shape.Length - 1; i >= 0; i--)
        {
            var extent = cursor.U64(name);
            elements *= extent;
            if (extent > long.MaxValue || elements > long.MaxValue)
            {
                throw new ModelFormatException(file.Path, "its dimensions overflow", name);
            }

            shape[i] = (long)extent;
        }

        var type = cursor.U32(name);
        var offset = cursor.U64(name);
        return new TensorInfo(name, [.. shape], (long)elements, type, offset);
    }

    private static StoredTensor Place(MappedFile file, TensorInfo info, long dataStart, int alignment)
    {
        var available = Math.Max(0, file.Length - dataStart);
        if (info.Offset % (ulong)alignment != 0)
        {
            throw new ModelFormatException(file.Path, $"its offset {info.Offset} is not a multiple of the alignment {alignment}", info.Name);
        }

        if (GgufTensorType.Find(info.Type) is not { } type)
        {
            // Its size is unknown: it is listed, so that a model that does not need it works, and refused when opened.
            var start = Math.Min(info.Offset, (ulong)available);
            return new StoredTensor(info.Name, $"GGUF type {info.Type}", null, info.Shape, file, dataStart + (long)start, 0);
        }

        if (info.Shape[^1] % type.BlockElements != 0)
        {
            throw new ModelFormatException(file.Path, $"its rows of {info.Shape[^1]} elements do not fill {type.Name} blocks of {type.BlockElements}", info.Name);
        }

        var bytes = (UInt128)(info.Elements / type.BlockElements) * (UInt128)type.BlockBytes;
        if ((UInt128)info.Offset + bytes > (UInt128)available)
        {
            throw new ModelFormatException(file.Path, $"cut short or lying: its {bytes} bytes at {info.Offset} do not lie in the {available} bytes of tensor data", info.Name);
        }

        return new StoredTensor(info.Name, type.Name, type.Format, info.Shape, file, dataStart + (long)info.Offset, (long)bytes);
    }

    private readonly record struct TensorInfo(string Name, ImmutableArray<long> Shape, long Elements, uint Type, ulong Offset);
}
