using System.Buffers.Binary;
using System.Text;
using System.Text.Unicode;

namespace Parallax.Runtime.Weights;

/// <summary>
/// One metadata value of a GGUF file, read from the mapping when asked: large arrays are not copied. Every accessor
/// throws <see cref="ModelFormatException"/> naming file and key when the value is of another type. Valid until the
/// file is disposed; thread-safe.
/// </summary>
public sealed class GgufValue
{
    private readonly MappedFile _file;

    /// <summary>Of a scalar or an array of fixed-size elements: its first byte. Of a string: its first byte after the length.</summary>
    private readonly long _offset;

    /// <summary>Of an array of strings or arrays: where each element starts.</summary>
    private readonly long[] _elements = [];

    private GgufValue(MappedFile file, string key, ref GgufCursor cursor, GgufType type, int depth)
    {
        _file = file;
        Key = key;
        Type = type;
        ElementType = type;
        switch (type)
        {
            case GgufType.Text:
                Count = cursor.TextLength(key, int.MaxValue);
                _offset = cursor.Position;
                cursor.Take(Count, key);
                break;
            case GgufType.Array:
                ElementType = cursor.Type(key);
                var count = cursor.Count(key, GgufCursor.LeastBytes(ElementType));
                if (count > Array.MaxLength)
                {
                    throw new ModelFormatException(file.Path, $"an array of {count} entries, at most {Array.MaxLength} are supported", key);
                }

                Count = (int)count;
                _offset = cursor.Position;
                if (ElementType is GgufType.Text or GgufType.Array)
                {
                    // The count has been checked against the file's size: at least 8 bytes of file for 8 of memory.
                    _elements = new long[Count];
                    for (var i = 0; i < Count; i++)
                    {
                        _elements[i] = cursor.Position;
                        cursor.Skip(ElementType, key, depth + 1);
                    }
                }
                else
                {
                    cursor = new GgufCursor(file, _offset + (count * GgufCursor.LeastBytes(ElementType)));
                }

                break;
            default:
                _offset = cursor.Position;
                Count = 1;
                cursor.Take(GgufCursor.LeastBytes(type), key);
                break;
        }
    }

    /// <summary>The metadata key.</summary>
    public string Key { get; }

    /// <summary>The value's type.</summary>
    public GgufType Type { get; }

    /// <summary>Of an array: its elements' type; else <see cref="Type"/>.</summary>
    public GgufType ElementType { get; }

    /// <summary>Of an array: its elements; of a string: its bytes; else 1.</summary>
    public int Count { get; }

    /// <summary>The value as a whole number (any integer type).</summary>
    public long AsInteger() => IsInteger(Type) ? ReadInteger(Type, _offset) : throw Wrong("a whole number");

    /// <summary>The value as a number (any numeric type).</summary>
    public double AsNumber() => IsInteger(Type) || IsFloat(Type) ? ReadNumber(Type, _offset) : throw Wrong("a number");

    /// <summary>The value as true or false.</summary>
    public bool AsBoolean() => Type == GgufType.Bool ? ReadBoolean(_offset) : throw Wrong("true or false");

    /// <summary>The value as text.</summary>
    public string AsText() => Type == GgufType.Text ? Decode(_file.Bytes(_offset, Count)) : throw Wrong("a text");

    /// <summary>The bytes of a text; not checked to be UTF-8.</summary>
    public ReadOnlySpan<byte> AsUtf8() => Type == GgufType.Text ? _file.Bytes(_offset, Count) : throw Wrong("a text");

    /// <summary>The bytes of one text of an array of texts, in the mapping; not checked to be UTF-8.</summary>
    public ReadOnlySpan<byte> Utf8At(int index)
    {
        var cursor = ElementCursor(index, GgufType.Text, "an array of texts");
        return cursor.Take(cursor.TextLength(Key, int.MaxValue), Key);
    }

    /// <summary>One text of an array of texts.</summary>
    public string TextAt(int index) => Decode(Utf8At(index));

    /// <summary>One array of an array of arrays.</summary>
    public GgufValue ArrayAt(int index)
    {
        var cursor = ElementCursor(index, GgufType.Array, "an array of arrays");
        return new GgufValue(_file, $"{Key}[{index}]", ref cursor, GgufType.Array, depth: 1);
    }

    /// <summary>One element of an array of whole numbers.</summary>
    public long IntegerAt(int index) =>
        Type == GgufType.Array && IsInteger(ElementType) ? ReadInteger(ElementType, ElementOffset(index)) : throw Wrong("an array of whole numbers");

    /// <summary>One element of an array of numbers.</summary>
    public double NumberAt(int index) =>
        Type == GgufType.Array && (IsInteger(ElementType) || IsFloat(ElementType)) ? ReadNumber(ElementType, ElementOffset(index)) : throw Wrong("an array of numbers");

    /// <summary>One element of an array of booleans.</summary>
    public bool BooleanAt(int index) =>
        Type == GgufType.Array && ElementType == GgufType.Bool ? ReadBoolean(ElementOffset(index)) : throw Wrong("an array of booleans");

    /// <summary>An array of floats, copied.</summary>
    public float[] ToSingles()
    {
        var values = new float[Type == GgufType.Array ? Count : throw Wrong("an array of numbers")];
        for (var i = 0; i < values.Length; i++)
        {
            values[i] = (float)NumberAt(i);
        }

        return values;
    }

    /// <summary>An array of whole numbers that fit 32 bits, copied.</summary>
    public int[] ToInt32s()
    {
        var values = new int[Type == GgufType.Array ? Count : throw Wrong("an array of whole numbers")];
        for (var i = 0; i < values.Length; i++)
        {
            var value = IntegerAt(i);
            values[i] = value is >= int.MinValue and <= int.MaxValue ? (int)value : throw new ModelFormatException(_file.Path, $"element {i} is {value}, which does not fit 32 bits", Key);
        }

        return values;
    }

    /// <inheritdoc/>
    public override string ToString() => Type == GgufType.Array ? $"{Key}: {Count} x {ElementType}" : $"{Key}: {Type}";

    /// <summary>Reads a value of a type at the cursor and moves past it; all of it is checked to lie in the file.</summary>
    internal static GgufValue Read(MappedFile file, string key, ref GgufCursor cursor)
    {
        var type = cursor.Type(key);
        return new GgufValue(file, key, ref cursor, type, depth: 0);
    }

    private static bool IsInteger(GgufType type) => type is GgufType.U8 or GgufType.I8 or GgufType.U16 or GgufType.I16
        or GgufType.U32 or GgufType.I32 or GgufType.U64 or GgufType.I64;

    private static bool IsFloat(GgufType type) => type is GgufType.F32 or GgufType.F64;

    private long ReadInteger(GgufType type, long offset)
    {
        var bytes = _file.Bytes(offset, GgufCursor.LeastBytes(type));
        switch (type)
        {
            case GgufType.U8:
                return bytes[0];
            case GgufType.I8:
                return (sbyte)bytes[0];
            case GgufType.U16:
                return BinaryPrimitives.ReadUInt16LittleEndian(bytes);
            case GgufType.I16:
                return BinaryPrimitives.ReadInt16LittleEndian(bytes);
            case GgufType.U32:
                return BinaryPrimitives.ReadUInt32LittleEndian(bytes);
            case GgufType.I32:
                return BinaryPrimitives.ReadInt32LittleEndian(bytes);
            case GgufType.I64:
                return BinaryPrimitives.ReadInt64LittleEndian(bytes);
            default:
                var value = BinaryPrimitives.ReadUInt64LittleEndian(bytes);
                return value <= long.MaxValue ? (long)value : throw new ModelFormatException(_file.Path, $"{value} does not fit 63 bits", Key);
        }
    }

    private double ReadNumber(GgufType type, long offset) => type switch
    {
        GgufType.F32 => BinaryPrimitives.ReadSingleLittleEndian(_file.Bytes(offset, 4)),
        GgufType.F64 => BinaryPrimitives.ReadDoubleLittleEndian(_file.Bytes(offset, 8)),
        _ => ReadInteger(type, offset),
    };

    private bool ReadBoolean(long offset)
    {
        var value = _file.Bytes(offset, 1)[0];
        return value <= 1 ? value == 1 : throw new ModelFormatException(_file.Path, $"a boolean holds {value}, expected 0 or 1", Key);
    }

    private string Decode(ReadOnlySpan<byte> utf8) =>
        Utf8.IsValid(utf8) ? Encoding.UTF8.GetString(utf8) : throw new ModelFormatException(_file.Path, "holds text that is not valid UTF-8", Key);

    private GgufCursor ElementCursor(int index, GgufType type, string expected)
    {
        if (Type != GgufType.Array || ElementType != type)
        {
            throw Wrong(expected);
        }

        ArgumentOutOfRangeException.ThrowIfNegative(index);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(index, Count);
        return new GgufCursor(_file, _elements[index]);
    }

    private long ElementOffset(int index)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(index);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(index, Count);
        return _offset + ((long)index * GgufCursor.LeastBytes(ElementType));
    }

    private ModelFormatException Wrong(string expected)
    {
        var found = Type == GgufType.Array ? $"an array of {ElementType}" : $"{Type}";
        return new ModelFormatException(_file.Path, $"is {found}, expected {expected}", Key);
    }
}
