using System.Buffers.Binary;
using System.Text;
using System.Text.Unicode;

namespace Parallax.Runtime.Weights;

/// <summary>Reads a GGUF file front to back; every read is checked against the file's end.</summary>
internal struct GgufCursor
{
    /// <summary>The specification's limit on names, 2^16 - 1 bytes.</summary>
    private const int MaxNameBytes = 65535;

    /// <summary>Arrays within arrays, at most; no real file nests at all.</summary>
    private const int MaxArrayDepth = 8;

    private readonly MappedFile _file;

    public GgufCursor(MappedFile file, long position)
    {
        _file = file;
        Position = position;
    }

    public long Position { get; private set; }

    public readonly long Remaining => _file.Length - Position;

    public uint U32(string subject) => BinaryPrimitives.ReadUInt32LittleEndian(Take(4, subject));

    public ulong U64(string subject) => BinaryPrimitives.ReadUInt64LittleEndian(Take(8, subject));

    /// <summary>A key or tensor name.</summary>
    public string Name(string subject)
    {
        var bytes = Take(TextLength(subject, MaxNameBytes), subject);
        if (bytes.Length == 0)
        {
            throw new ModelFormatException(_file.Path, "its name is empty", subject);
        }

        return Utf8.IsValid(bytes) ? Encoding.UTF8.GetString(bytes) : throw new ModelFormatException(_file.Path, "its name is not valid UTF-8", subject);
    }

    /// <summary>A count of things that take at least <paramref name="leastBytes"/> each: refused when the file could not hold them.</summary>
    public long Count(string subject, int leastBytes)
    {
        var count = U64(subject);
        if (count > (ulong)(Remaining / leastBytes))
        {
            throw new ModelFormatException(_file.Path, $"cut short or lying: {count} entries cannot fit the {Remaining} bytes that follow", subject);
        }

        return (long)count;
    }

    public GgufType Type(string subject)
    {
        var type = U32(subject);
        return type <= (uint)GgufType.F64 ? (GgufType)type : throw new ModelFormatException(_file.Path, $"value type {type} is unknown (0 to 12 are known)", subject);
    }

    /// <summary>Steps over a value, checking that all of it lies in the file.</summary>
    public void Skip(GgufType type, string subject, int depth = 0)
    {
        switch (type)
        {
            case GgufType.Text:
                Take(TextLength(subject, int.MaxValue), subject);
                break;
            case GgufType.Array when depth == MaxArrayDepth:
                throw new ModelFormatException(_file.Path, $"arrays are nested more than {MaxArrayDepth} deep", subject);
            case GgufType.Array:
                var element = Type(subject);
                var count = Count(subject, LeastBytes(element));
                if (element is GgufType.Text or GgufType.Array)
                {
                    for (long i = 0; i < count; i++)
                    {
                        Skip(element, subject, depth + 1);
                    }
                }
                else
                {
                    Position += count * LeastBytes(element);
                }

                break;
            default:
                Take(LeastBytes(type), subject);
                break;
        }
    }

    /// <summary>Bytes of a value of a fixed size; the least bytes of one of another type.</summary>
    public static int LeastBytes(GgufType type) => type switch
    {
        GgufType.U8 or GgufType.I8 or GgufType.Bool => 1,
        GgufType.U16 or GgufType.I16 => 2,
        GgufType.U32 or GgufType.I32 or GgufType.F32 => 4,
        GgufType.Array => 12,
        _ => 8,
    };

    public ReadOnlySpan<byte> Take(int length, string subject)
    {
        if (length > Remaining)
        {
            throw new ModelFormatException(_file.Path, $"cut short: {length} bytes are needed at byte {Position}, {Remaining} follow", subject);
        }

        var bytes = _file.Bytes(Position, length);
        Position += length;
        return bytes;
    }

    public int TextLength(string subject, int most)
    {
        var length = U64(subject);
        if (length > (ulong)Remaining)
        {
            throw new ModelFormatException(_file.Path, $"cut short or lying: a text of {length} bytes cannot fit the {Remaining} bytes that follow", subject);
        }

        return length <= (ulong)most ? (int)length : throw new ModelFormatException(_file.Path, $"a text of {length} bytes, at most {most} are allowed", subject);
    }
}
