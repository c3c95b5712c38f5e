using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;

namespace Parallax.Contracts.Identifiers;

/// <summary>
/// A peer of a swarm: the first 160 bits of the SHA-256 of its public key (SubjectPublicKeyInfo, DER). Ids are ordered as
/// big-endian numbers. In text 40 hexadecimal digits, lower case.
/// </summary>
public readonly record struct PeerId : IComparable<PeerId>
{
    /// <summary>Bytes of an id.</summary>
    public const int Size = 20;

    private readonly ulong _high;
    private readonly ulong _middle;
    private readonly uint _low;

    /// <param name="bytes">20 bytes, most significant first.</param>
    public PeerId(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length != Size)
        {
            throw new ArgumentException($"A peer id has {Size} bytes; these are {bytes.Length}.", nameof(bytes));
        }

        _high = BinaryPrimitives.ReadUInt64BigEndian(bytes);
        _middle = BinaryPrimitives.ReadUInt64BigEndian(bytes[8..]);
        _low = BinaryPrimitives.ReadUInt32BigEndian(bytes[16..]);
    }

    private PeerId(ulong high, ulong middle, uint low) => (_high, _middle, _low) = (high, middle, low);

    /// <summary>The id of a public key.</summary>
    /// <param name="publicKey">SubjectPublicKeyInfo in DER.</param>
    public static PeerId OfPublicKey(ReadOnlySpan<byte> publicKey)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(publicKey, hash);
        return new PeerId(hash[..Size]);
    }

    /// <summary>Reads 40 hexadecimal digits.</summary>
    public static bool TryParse([NotNullWhen(true)] string? text, out PeerId id)
    {
        id = default;
        if (text is not { Length: 2 * Size } || !text.All(char.IsAsciiHexDigit))
        {
            return false;
        }

        id = new PeerId(Convert.FromHexString(text));
        return true;
    }

    /// <summary>The XOR distance of Kademlia.</summary>
    public PeerId DistanceTo(PeerId other) => new(_high ^ other._high, _middle ^ other._middle, _low ^ other._low);

    /// <summary>Leading zero bits, 0 to 160: of a distance, the length of the common prefix.</summary>
    public int LeadingZeros() =>
        _high != 0 ? System.Numerics.BitOperations.LeadingZeroCount(_high)
        : _middle != 0 ? 64 + System.Numerics.BitOperations.LeadingZeroCount(_middle)
        : 128 + System.Numerics.BitOperations.LeadingZeroCount(_low);

    /// <summary>Writes 20 bytes, most significant first.</summary>
    public void CopyTo(Span<byte> bytes)
    {
        BinaryPrimitives.WriteUInt64BigEndian(bytes, _high);
        BinaryPrimitives.WriteUInt64BigEndian(bytes[8..], _middle);
        BinaryPrimitives.WriteUInt32BigEndian(bytes[16..], _low);
    }

    /// <summary>20 bytes, most significant first.</summary>
    public byte[] ToByteArray()
    {
        var bytes = new byte[Size];
        CopyTo(bytes);
        return bytes;
    }

    /// <inheritdoc/>
    public int CompareTo(PeerId other)
    {
        var order = _high.CompareTo(other._high);
        order = order != 0 ? order : _middle.CompareTo(other._middle);
        return order != 0 ? order : _low.CompareTo(other._low);
    }

    public static bool operator <(PeerId left, PeerId right) => left.CompareTo(right) < 0;

    public static bool operator >(PeerId left, PeerId right) => left.CompareTo(right) > 0;

    public static bool operator <=(PeerId left, PeerId right) => left.CompareTo(right) <= 0;

    public static bool operator >=(PeerId left, PeerId right) => left.CompareTo(right) >= 0;

    /// <summary>The first 8 digits, for people.</summary>
    public string Abbreviated => ToString()[..8];

    /// <inheritdoc/>
    public override string ToString() => Convert.ToHexStringLower(ToByteArray());
}
