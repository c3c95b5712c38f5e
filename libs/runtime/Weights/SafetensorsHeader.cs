using System.Collections.Immutable;
using System.Text.Json;

namespace Parallax.Runtime.Weights;

/// <summary>Reads the JSON header of a safetensors file, straight from the mapping.</summary>
internal static class SafetensorsHeader
{
    private const int MaxDimensions = 8;

    /// <param name="file">The file.</param>
    /// <param name="json">The header's bytes.</param>
    /// <param name="dataStart">Byte of the file at which tensor data starts.</param>
    /// <returns>The tensors, each checked to lie within the file and to have the bytes its shape needs.</returns>
    public static List<StoredTensor> Read(MappedFile file, ReadOnlySpan<byte> json, long dataStart)
    {
        var name = "";
        try
        {
            // An object of objects of arrays: anything deeper is not a header.
            var reader = new Utf8JsonReader(json, new JsonReaderOptions { MaxDepth = 4 });
            Expect(ref reader, JsonTokenType.StartObject, "an object of tensors");
            var tensors = new List<StoredTensor>();
            var sawMetadata = false;
            while (NextName(ref reader, out name))
            {
                if (name == "__metadata__")
                {
                    if (sawMetadata)
                    {
                        throw new FormatException("is there twice");
                    }

                    sawMetadata = true;
                    SkipMetadata(ref reader);
                }
                else if (tensors.Count == TensorTable.MaxTensors)
                {
                    throw new FormatException($"the header lists more than {TensorTable.MaxTensors} tensors");
                }
                else
                {
                    tensors.Add(ReadTensor(ref reader, file, name, dataStart));
                }
            }

            while (reader.Read())
            {
                throw new FormatException("something follows the header's closing brace");
            }

            return tensors;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or FormatException)
        {
            // InvalidOperationException is how the reader reports text that is not UTF-8.
            var problem = e is FormatException ? e.Message : $"the header is not valid JSON: {e.Message}";
            throw new ModelFormatException(file.Path, problem, name.Length > 0 ? name : null, e);
        }
    }

    private static StoredTensor ReadTensor(ref Utf8JsonReader reader, MappedFile file, string name, long dataStart)
    {
        Expect(ref reader, JsonTokenType.StartObject, "an object with dtype, shape and data_offsets");
        string? dtype = null;
        ImmutableArray<long>? shape = null;
        ImmutableArray<long>? offsets = null;
        while (NextName(ref reader, out var field))
        {
            switch (field)
            {
                case "dtype" when dtype is null:
                    Expect(ref reader, JsonTokenType.String, "a dtype");
                    dtype = reader.GetString()!;
                    break;
                case "shape" when shape is null:
                    shape = ReadNumbers(ref reader, field, MaxDimensions);
                    break;
                case "data_offsets" when offsets is null:
                    offsets = ReadNumbers(ref reader, field, 2);
                    break;
                default:
                    throw new FormatException($"field '{field}' is unknown or there twice; expected dtype, shape and data_offsets");
            }
        }

        if (dtype is null || shape is null || offsets is not { Length: 2 } range)
        {
            throw new FormatException("needs dtype, shape and two data_offsets");
        }

        var available = file.Length - dataStart;
        if (range[0] > range[1] || range[1] > available)
        {
            throw new FormatException($"its bytes [{range[0]}, {range[1]}) do not lie in the file's {available} bytes of data");
        }

        var length = range[1] - range[0];
        if (SafetensorsDtypes.Bits(dtype) is { } bits && (UInt128)length * 8 != BitsOf(shape.Value, bits))
        {
            throw new FormatException($"its {length} bytes are not those of {dtype} [{string.Join(", ", shape.Value)}]");
        }

        return new StoredTensor(name, dtype, SafetensorsDtypes.Format(dtype), shape.Value, file, dataStart + range[0], length);
    }

    private static UInt128 BitsOf(ImmutableArray<long> shape, int bits)
    {
        UInt128 product = (UInt128)bits;
        foreach (var dimension in shape)
        {
            product *= (UInt128)dimension;
            if (product > long.MaxValue)
            {
                throw new FormatException($"shape [{string.Join(", ", shape)}] overflows");
            }
        }

        return product;
    }

    private static ImmutableArray<long> ReadNumbers(ref Utf8JsonReader reader, string field, int most)
    {
        Expect(ref reader, JsonTokenType.StartArray, $"an array as {field}");
        var numbers = ImmutableArray.CreateBuilder<long>(4);
        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
        {
            if (reader.TokenType != JsonTokenType.Number || !reader.TryGetInt64(out var number) || number < 0)
            {
                throw new FormatException($"{field} holds something that is not a whole number of 0 or more");
            }

            if (numbers.Count == most)
            {
                throw new FormatException($"{field} has more than {most} entries");
            }

            numbers.Add(number);
        }

        return numbers.ToImmutable();
    }

    private static void SkipMetadata(ref Utf8JsonReader reader)
    {
        Expect(ref reader, JsonTokenType.StartObject, "an object of texts");
        while (NextName(ref reader, out _))
        {
            Expect(ref reader, JsonTokenType.String, "a text");
            _ = reader.GetString();
        }
    }

    private static bool NextName(ref Utf8JsonReader reader, out string name)
    {
        name = "";
        if (!reader.Read() || reader.TokenType == JsonTokenType.EndObject)
        {
            return false;
        }

        name = reader.GetString()!;
        return true;
    }

    private static void Expect(ref Utf8JsonReader reader, JsonTokenType type, string what)
    {
        if (!reader.Read() || reader.TokenType != type)
        {
            throw new FormatException($"the header has {reader.TokenType}, expected {what}");
        }
    }
}
