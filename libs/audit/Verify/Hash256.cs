using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using System.Text;

namespace Parallax.Audit.Verify;

/// <summary>A SHA-256 in 32 bytes; in text 64 lower-case hexadecimal digits.</summary>
internal readonly record struct Hash256
{
    private readonly UInt128 _high;
    private readonly UInt128 _low;

    private Hash256(ReadOnlySpan<byte> bytes)
    {
        _high = BinaryPrimitives.ReadUInt128BigEndian(bytes);
        _low = BinaryPrimitives.ReadUInt128BigEndian(bytes[16..]);
    }

    /// <summary>The id that an event with this hash has.</summary>
    public Guid EventId
    {
        get
        {
            Span<byte> bytes = stackalloc byte[16];
            BinaryPrimitives.WriteUInt128BigEndian(bytes, _high);
            return new Guid(bytes, bigEndian: true);
        }
    }

    public static Hash256 Of(ReadOnlySpan<byte> data)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(data, hash);
        return new Hash256(hash);
    }

    /// <summary>Half the hash of a name: stands for the name where millions of them would take too much memory.</summary>
    public static UInt128 KeyOf(string name)
    {
        Span<byte> utf8 = stackalloc byte[1024]; // names have at most 256 bytes in a store; a longer one can only come from a payload
        return (Encoding.UTF8.TryGetBytes(name, utf8, out var count) ? Of(utf8[..count]) : Of(Encoding.UTF8.GetBytes(name)))._high;
    }

    public static bool TryParse([NotNullWhen(true)] string? text, out Hash256 hash)
    {
        Span<byte> bytes = stackalloc byte[SHA256.HashSizeInBytes];
        hash = default;
        if (text is not { Length: 64 } || Convert.FromHexString(text, bytes, out _, out _) != System.Buffers.OperationStatus.Done)
        {
            return false;
        }

        hash = new Hash256(bytes);
        return true;
    }

    public override string ToString() => $"{_high:x32}{_low:x32}";
}
