using System.Collections.Immutable;

namespace Parallax.Runtime.Weights;

/// <summary>One tensor as a model file lists it; its extent has been checked against the file.</summary>
public sealed class StoredTensor
{
    internal StoredTensor(string name, string dtype, TensorFormat? format, ImmutableArray<long> shape, MappedFile file, long offset, long byteLength)
    {
        Name = name;
        Dtype = dtype;
        Format = format;
        Shape = shape;
        File = file;
        Offset = offset;
        ByteLength = byteLength;
    }

    /// <summary>The tensor's name.</summary>
    public string Name { get; }

    /// <summary>The element type as the file calls it, e.g. <c>BF16</c> or <c>Q4_K</c>.</summary>
    public string Dtype { get; }

    /// <summary>The element type, or null when it is one that cannot be opened as a weight.</summary>
    public TensorFormat? Format { get; }

    /// <summary>Dimensions, outermost first.</summary>
    public ImmutableArray<long> Shape { get; }

    /// <summary>Bytes of the whole tensor.</summary>
    public long ByteLength { get; }

    /// <summary>Path of the file that holds it.</summary>
    public string FilePath => File.Path;

    /// <summary>The stored bytes, in the mapped file; at most 2 GiB.</summary>
    public ReadOnlySpan<byte> Bytes => File.Bytes(Offset, checked((int)ByteLength));

    internal MappedFile File { get; }

    /// <summary>Byte in <see cref="File"/> at which the tensor starts.</summary>
    internal long Offset { get; }

    internal string ShapeText => $"[{string.Join(", ", Shape)}]";
}
