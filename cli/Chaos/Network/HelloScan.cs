using System.Buffers.Binary;
using System.Text;

namespace Parallax.Cli.Chaos.Network;

/// <summary>
/// Finds out who has dialled a link, from the Hello that the dialling side says first (docs/transport.md): a relay in
/// front of a worker is dialled by all others at the same address. Pure.
/// </summary>
internal static class HelloScan
{
    private const int TypeAt = 6;
    private const int HeaderLengthAt = 8;
    private const int FixedHeader = 20;
    private const ushort Hello = 3;

    /// <summary>The id in the first whole Hello among the bytes of a clear-text connection; null when there is none.</summary>
    public static string? Find(ReadOnlySpan<byte> bytes)
    {
        for (var rest = bytes; rest.IndexOf("PLXF"u8) is >= 0 and var at; rest = rest[(at + 4)..])
        {
            if (Read(rest[at..]) is { } id)
            {
                return id;
            }
        }

        return null;
    }

    private static string? Read(ReadOnlySpan<byte> frame)
    {
        if (frame.Length < FixedHeader || BinaryPrimitives.ReadUInt16LittleEndian(frame[TypeAt..]) != Hello)
        {
            return null;
        }

        int header = BinaryPrimitives.ReadUInt16LittleEndian(frame[HeaderLengthAt..]);
        if (frame.Length < header + 4)
        {
            return null;
        }

        var body = frame[header..];
        int fixedPart = BinaryPrimitives.ReadUInt16LittleEndian(body);
        int idLength = BinaryPrimitives.ReadUInt16LittleEndian(body[2..]);
        return idLength > 0 && fixedPart + idLength <= body.Length ? Encoding.UTF8.GetString(body.Slice(fixedPart, idLength)) : null;
    }
}
