using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Security.Cryptography;

namespace Parallax.Identity.Tokens;

/// <summary>Names a join token: 64 random bits. In text 16 hexadecimal digits, lower case.</summary>
public readonly record struct TokenId(ulong Value) : IComparable<TokenId>
{
    /// <summary>Bytes of an id.</summary>
    public const int Size = 8;

    /// <summary>A fresh id.</summary>
    public static TokenId Create() => Read(RandomNumberGenerator.GetBytes(Size));

    /// <summary>From 8 bytes, most significant first.</summary>
    public static TokenId Read(ReadOnlySpan<byte> bytes) => new(BinaryPrimitives.ReadUInt64BigEndian(bytes));

    /// <summary>Reads 16 hexadecimal digits.</summary>
    public static bool TryParse([NotNullWhen(true)] string? text, out TokenId id)
    {
        id = default;
        if (text is not { Length: 2 * Size } || !ulong.TryParse(text, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var value))
        {
            return false;
        }

        id = new TokenId(value);
        return true;
    }

    /// <summary>Writes 8 bytes, most significant first.</summary>
    public void CopyTo(Span<byte> bytes) => BinaryPrimitives.WriteUInt64BigEndian(bytes, Value);

    /// <summary>8 bytes, most significant first.</summary>
    public byte[] ToByteArray()
    {
        var bytes = new byte[Size];
        CopyTo(bytes);
        return bytes;
    }

    /// <inheritdoc/>
    public int CompareTo(TokenId other) => Value.CompareTo(other.Value);

    public static bool operator <(TokenId left, TokenId right) => left.Value < right.Value;

    public static bool operator >(TokenId left, TokenId right) => left.Value > right.Value;

    public static bool operator <=(TokenId left, TokenId right) => left.Value <= right.Value;

    public static bool operator >=(TokenId left, TokenId right) => left.Value >= right.Value;

    /// <inheritdoc/>
    public override string ToString() => Value.ToString("x16", CultureInfo.InvariantCulture);
}
