using System.Buffers.Binary;
using System.Text;
using Parallax.Runtime.Weights;

namespace Parallax.Testing.Weights;

/// <summary>Writes GGUF files. Dimensions are given outermost first, as everywhere in the project.</summary>
public sealed class GgufBuilder
{
    private static readonly Dictionary<TensorFormat, uint> TypeIds = new()
    {
        [TensorFormat.F32] = 0,
        [TensorFormat.F16] = 1,
        [TensorFormat.Q4_0] = 2,
        [TensorFormat.Q4_1] = 3,
        [TensorFormat.Q5_0] = 6,
        [TensorFormat.Q5_1] = 7,
        [TensorFormat.Q8_0] = 8,
        [TensorFormat.Q4_K] = 12,
        [TensorFormat.Q5_K] = 13,
        [TensorFormat.Q6_K] = 14,
        [TensorFormat.BF16] = 30,
    };

    private readonly List<(string Key, byte[] Value)> _metadata = [];
    private readonly List<(string Name, long[] Shape, uint Type, byte[] Bytes, ulong? Offset)> _tensors = [];

    /// <summary>The version number written.</summary>
    public uint Version { get; set; } = 3;

    /// <summary>Where tensors start; written as general.alignment by <see cref="SetAlignment"/>.</summary>
    public int Alignment { get; private set; } = 32;

    /// <summary>Sets general.alignment and aligns accordingly.</summary>
    public GgufBuilder SetAlignment(int alignment)
    {
        Alignment = alignment;
        return Set("general.alignment", (uint)alignment);
    }

    /// <summary>
    /// Adds a metadata entry: a scalar of .NET's type, a string, an array of those, or an array of arrays (object[]).
    /// </summary>
    public GgufBuilder Set(string key, object value)
    {
        _metadata.Add((key, [.. U32((uint)TypeOf(value)), .. Encode(value)]));
        return this;
    }

    /// <summary>Removes a metadata entry, if it is there.</summary>
    public GgufBuilder Remove(string key)
    {
        _metadata.RemoveAll(entry => entry.Key == key);
        return this;
    }

    /// <summary>Adds a metadata entry of raw bytes (type and value).</summary>
    public GgufBuilder SetRaw(string key, params byte[] typeAndValue)
    {
        _metadata.Add((key, typeAndValue));
        return this;
    }

    /// <summary>Adds a tensor after those before it.</summary>
    public GgufBuilder Add(string name, TensorFormat format, long[] shape, byte[] bytes) => AddRaw(name, TypeIds[format], shape, bytes);

    /// <summary>Adds a tensor of any type number and, if given, at any offset.</summary>
    public GgufBuilder AddRaw(string name, uint type, long[] shape, byte[] bytes, ulong? offset = null)
    {
        _tensors.Add((name, shape, type, bytes, offset));
        return this;
    }

    /// <summary>The file, with true counts or those given.</summary>
    public byte[] Build(ulong? tensorCount = null, ulong? metadataCount = null)
    {
        using var file = new MemoryStream();
        file.Write("GGUF"u8);
        file.Write(U32(Version));
        file.Write(U64(tensorCount ?? (ulong)_tensors.Count));
        file.Write(U64(metadataCount ?? (ulong)_metadata.Count));
        foreach (var (key, value) in _metadata)
        {
            file.Write(Text(key));
            file.Write(value);
        }

        var next = 0UL;
        var placed = new List<(ulong Offset, byte[] Bytes)>();
        foreach (var (name, shape, type, bytes, offset) in _tensors)
        {
            file.Write(Text(name));
            file.Write(U32((uint)shape.Length));
            foreach (var dimension in shape.Reverse())
            {
                file.Write(U64((ulong)dimension));
            }

            file.Write(U32(type));
            file.Write(U64(offset ?? next));
            placed.Add((next, bytes));
            next = Align(next + (ulong)bytes.Length);
        }

        var start = (long)Align((ulong)file.Length);
        foreach (var (offset, bytes) in placed)
        {
            file.SetLength(Math.Max(file.Length, start + (long)offset));
            file.Position = start + (long)offset;
            file.Write(bytes);
        }

        file.SetLength(Math.Max(file.Length, start + (long)next));
        return file.ToArray();
    }

    private static GgufType TypeOf(object value) => value switch
    {
        byte => GgufType.U8,
        sbyte => GgufType.I8,
        ushort => GgufType.U16,
        short => GgufType.I16,
        uint => GgufType.U32,
        int => GgufType.I32,
        float => GgufType.F32,
        bool => GgufType.Bool,
        string => GgufType.Text,
        ulong => GgufType.U64,
        long => GgufType.I64,
        double => GgufType.F64,
        Array => GgufType.Array,
        _ => throw new ArgumentException($"GGUF has no type for {value.GetType()}", nameof(value)),
    };

    private static byte[] Encode(object value) => value switch
    {
        byte v => [v],
        sbyte v => [(byte)v],
        bool v => [v ? (byte)1 : (byte)0],
        ushort v => BitConverter.GetBytes(v),
        short v => BitConverter.GetBytes(v),
        uint v => BitConverter.GetBytes(v),
        int v => BitConverter.GetBytes(v),
        float v => BitConverter.GetBytes(v),
        ulong v => BitConverter.GetBytes(v),
        long v => BitConverter.GetBytes(v),
        double v => BitConverter.GetBytes(v),
        string v => Text(v),
        Array v => EncodeArray(v),
        _ => throw new ArgumentException($"GGUF has no type for {value.GetType()}", nameof(value)),
    };

    private static byte[] EncodeArray(Array array)
    {
        var items = array.Cast<object>().ToArray();
        var type = items.Length > 0 ? TypeOf(items[0]) : GgufType.U32;
        return [.. U32((uint)type), .. U64((ulong)items.Length), .. items.SelectMany(Encode)];
    }

    private static byte[] Text(string text)
    {
        var bytes = Encoding.UTF8.GetBytes(text);
        return [.. U64((ulong)bytes.Length), .. bytes];
    }

    private static byte[] U32(uint value)
    {
        var bytes = new byte[4];
        BinaryPrimitives.WriteUInt32LittleEndian(bytes, value);
        return bytes;
    }

    private static byte[] U64(ulong value)
    {
        var bytes = new byte[8];
        BinaryPrimitives.WriteUInt64LittleEndian(bytes, value);
        return bytes;
    }

    private ulong Align(ulong offset) => (offset + (ulong)Alignment - 1) / (ulong)Alignment * (ulong)Alignment;
}
