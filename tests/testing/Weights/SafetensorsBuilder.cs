using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Parallax.Testing.Weights;

/// <summary>Writes safetensors files, right or wrong as a test asks.</summary>
public sealed class SafetensorsBuilder
{
    private static readonly JsonSerializerOptions Plain = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private readonly JsonObject _header = [];
    private readonly List<byte> _data = [];

    /// <summary>Adds a tensor whose bytes follow those of the tensors before it.</summary>
    public SafetensorsBuilder Add(string name, string dtype, long[] shape, ReadOnlySpan<byte> bytes)
    {
        var start = _data.Count;
        _data.AddRange(bytes);
        return AddEntry(name, dtype, shape, start, _data.Count);
    }

    /// <summary>Adds an F32 tensor.</summary>
    public SafetensorsBuilder Add(string name, long[] shape, ReadOnlySpan<float> values) => Add(name, "F32", shape, MemoryMarshal.AsBytes(values));

    /// <summary>Adds an entry to the header only, true or not.</summary>
    public SafetensorsBuilder AddEntry(string name, string dtype, long[] shape, long start, long end)
    {
        _header[name] = new JsonObject
        {
            ["dtype"] = dtype,
            ["shape"] = new JsonArray([.. shape.Select(d => (JsonNode)d)]),
            ["data_offsets"] = new JsonArray(start, end),
        };
        return this;
    }

    /// <summary>The header's JSON.</summary>
    public string Header() => _header.ToJsonString(Plain);

    /// <summary>The file, with the header given or the right one.</summary>
    public byte[] Build(string? header = null) => Assemble(Encoding.UTF8.GetBytes(header ?? Header()), CollectionsMarshal.AsSpan(_data));

    /// <summary>Length, header and data as a file.</summary>
    public static byte[] Assemble(ReadOnlySpan<byte> header, ReadOnlySpan<byte> data)
    {
        var file = new byte[8 + header.Length + data.Length];
        BinaryPrimitives.WriteInt64LittleEndian(file, header.Length);
        header.CopyTo(file.AsSpan(8));
        data.CopyTo(file.AsSpan(8 + header.Length));
        return file;
    }
}
