using System.Buffers.Binary;
using Parallax.Contracts.Identifiers;

namespace Parallax.Overlay.Records;

/// <summary>A record as its publisher signed it; an empty value removes. Immutable.</summary>
/// <remarks>
/// What is signed, integers big-endian: the 19 ASCII bytes <c>parallax-record-v1\n</c>, key (20 bytes), length of the public
/// key (u16), public key, incarnation (i64), sequence (i64), lease in milliseconds (i64), length of the value (u32), value.
/// </remarks>
internal sealed class SignedRecord
{
    /// <summary>Bytes of a public key at most; P-256 has 91.</summary>
    public const int MaxPublicKeyBytes = 256;

    /// <summary>Bytes of a signature.</summary>
    public const int SignatureBytes = 64;

    private const int Overhead = 256; // what a record costs in memory beside its bytes

    public SignedRecord(
        OverlayKey key, ReadOnlyMemory<byte> publicKey, RecordVersion version, TimeSpan lease, ReadOnlyMemory<byte> value, ReadOnlyMemory<byte> signature)
    {
        (Key, PublicKey, Version, Lease, Value, Signature) = (key, publicKey, version, lease, value, signature);
        Publisher = PeerId.OfPublicKey(publicKey.Span);
    }

    public OverlayKey Key { get; }

    public ReadOnlyMemory<byte> PublicKey { get; }

    /// <summary>The sub-key: the id of <see cref="PublicKey"/>.</summary>
    public PeerId Publisher { get; }

    public RecordVersion Version { get; }

    /// <summary>The longest it may live, in whole milliseconds.</summary>
    public TimeSpan Lease { get; }

    public ReadOnlyMemory<byte> Value { get; }

    public ReadOnlyMemory<byte> Signature { get; }

    public bool IsTombstone => Value.IsEmpty;

    /// <summary>What it counts for in quotas.</summary>
    public int Bytes => Overhead + PublicKey.Length + Value.Length + Signature.Length;

    /// <summary>A record that a signer has signed.</summary>
    public static SignedRecord Sign(IRecordSigner signer, OverlayKey key, RecordVersion version, TimeSpan lease, ReadOnlyMemory<byte> value) =>
        new(key, signer.PublicKey, version, lease, value, signer.Sign(SigningBytes(key, signer.PublicKey.Span, version, lease, value.Span)));

    /// <summary>The bytes under the signature.</summary>
    public byte[] SigningBytes() => SigningBytes(Key, PublicKey.Span, Version, Lease, Value.Span);

    /// <summary>Whether both are the same record, bit for bit.</summary>
    public bool Matches(SignedRecord other) =>
        ReferenceEquals(this, other)
        || (Key == other.Key && Version == other.Version && Lease == other.Lease && Publisher == other.Publisher
            && PublicKey.Span.SequenceEqual(other.PublicKey.Span) && Value.Span.SequenceEqual(other.Value.Span)
            && Signature.Span.SequenceEqual(other.Signature.Span));

    private static byte[] SigningBytes(OverlayKey key, ReadOnlySpan<byte> publicKey, RecordVersion version, TimeSpan lease, ReadOnlySpan<byte> value)
    {
        var domain = "parallax-record-v1\n"u8;
        var bytes = new byte[domain.Length + PeerId.Size + 2 + publicKey.Length + (3 * 8) + 4 + value.Length];
        domain.CopyTo(bytes);
        var rest = bytes.AsSpan(domain.Length);
        key.Value.CopyTo(rest);
        rest = rest[PeerId.Size..];
        BinaryPrimitives.WriteUInt16BigEndian(rest, checked((ushort)publicKey.Length));
        publicKey.CopyTo(rest[2..]);
        rest = rest[(2 + publicKey.Length)..];
        BinaryPrimitives.WriteInt64BigEndian(rest, version.Incarnation);
        BinaryPrimitives.WriteInt64BigEndian(rest[8..], version.Sequence);
        BinaryPrimitives.WriteInt64BigEndian(rest[16..], lease.Ticks / TimeSpan.TicksPerMillisecond);
        BinaryPrimitives.WriteUInt32BigEndian(rest[24..], (uint)value.Length);
        value.CopyTo(rest[28..]);
        return bytes;
    }
}
