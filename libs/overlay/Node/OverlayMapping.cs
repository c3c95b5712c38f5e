using Google.Protobuf;
using Parallax.Contracts.Identifiers;
using Parallax.Overlay.Protocol;
using Parallax.Overlay.Records;
using Parallax.Overlay.Routing;
using Wire = Parallax.Contracts.V1;

namespace Parallax.Overlay.Node;

/// <summary>Between the protocol's values and what crosses the wire. What is read is untrusted: null is what is no good.</summary>
internal static class OverlayMapping
{
    /// <summary>Bytes of one message at most.</summary>
    public const int MaxMessageBytes = 1 << 20;

    private const int MaxEnvelopeBytes = OverlayLimits.MaxValueBytes + 1024;

    private const int MaxAddressLength = 256;

    /// <summary>Peers that are read of one answer.</summary>
    private const int MaxPeers = 64;

    public static bool IsDiallable(Uri address) =>
        address.IsAbsoluteUri && (address.Scheme == Uri.UriSchemeHttp || address.Scheme == Uri.UriSchemeHttps)
        && address.OriginalString.Length <= MaxAddressLength && address.Host.Length > 0 && address.Port > 0 && address.UserInfo.Length == 0
        && address.PathAndQuery is "/" && address.Fragment.Length == 0;

    public static ByteString ToWire(PeerId id) => UnsafeByteOperations.UnsafeWrap(id.ToByteArray());

    public static Wire.OverlayPeer ToWire(PeerContact contact) => new() { Id = ToWire(contact.Id), Address = contact.Address.OriginalString };

    public static Wire.OverlayRecord ToWire(HeldRecord held) => new()
    {
        Key = ToWire(held.Record.Key.Value),
        PublicKey = UnsafeByteOperations.UnsafeWrap(held.Record.PublicKey),
        Incarnation = held.Record.Version.Incarnation,
        Sequence = held.Record.Version.Sequence,
        LeaseMs = (long)held.Record.Lease.TotalMilliseconds,
        Value = UnsafeByteOperations.UnsafeWrap(held.Record.Value),
        Signature = UnsafeByteOperations.UnsafeWrap(held.Record.Signature),
        RemainingMs = (long)held.Remaining.TotalMilliseconds,
    };

    public static PeerId? ReadId(ByteString bytes) => bytes.Length == PeerId.Size ? new PeerId(bytes.Span) : null;

    public static PeerContact? ReadContact(Wire.OverlayPeer? peer) =>
        peer is not null && ReadId(peer.Id) is { } id && peer.Address.Length <= MaxAddressLength
            && Uri.TryCreate(peer.Address, UriKind.Absolute, out var address) && IsDiallable(address)
            ? new PeerContact(id, address)
            : null;

    public static List<PeerContact> ReadContacts(IEnumerable<Wire.OverlayPeer> peers) =>
        [.. peers.Take(MaxPeers).Select(ReadContact).OfType<PeerContact>()];

    public static HeldRecord? ReadRecord(Wire.OverlayRecord record)
    {
        if (ReadId(record.Key) is not { } key || record.PublicKey.Length is 0 or > SignedRecord.MaxPublicKeyBytes
            || record.Signature.Length != SignedRecord.SignatureBytes || record.Value.Length > OverlayLimits.MaxValueBytes
            || record.LeaseMs <= 0 || record.LeaseMs > OverlayLimits.MaxLease.TotalMilliseconds)
        {
            return null;
        }

        var version = new RecordVersion(record.Incarnation, record.Sequence);
        var signed = new SignedRecord(
            new OverlayKey(key), record.PublicKey.Memory, version, TimeSpan.FromMilliseconds(record.LeaseMs), record.Value.Memory, record.Signature.Memory);
        return new HeldRecord(signed, TimeSpan.FromMilliseconds(Math.Clamp(record.RemainingMs, 0, record.LeaseMs)));
    }

    /// <summary>Reads <see cref="FoundRecord.Envelope"/>, without verifying its signature.</summary>
    public static HeldRecord? ReadEnvelope(ReadOnlySpan<byte> envelope)
    {
        try
        {
            return envelope.Length <= MaxEnvelopeBytes ? ReadRecord(Wire.OverlayRecord.Parser.ParseFrom(envelope)) : null;
        }
        catch (InvalidProtocolBufferException)
        {
            return null; // the caller is told that it is no record
        }
    }

    /// <summary>Why <see cref="ReadRecord"/> gives null.</summary>
    public static OverlayRefusal WhyNot(Wire.OverlayRecord record) =>
        record.PublicKey.Length > SignedRecord.MaxPublicKeyBytes || record.Value.Length > OverlayLimits.MaxValueBytes
            ? OverlayRefusal.Oversized
            : OverlayRefusal.Malformed;

    public static FoundRecord ToFound(HeldRecord held) => new(
        held.Record.Key,
        held.Record.Publisher,
        held.Record.PublicKey,
        held.Record.Version.Incarnation,
        held.Record.Version.Sequence,
        held.Remaining,
        held.Record.Value,
        ToWire(held).ToByteArray());

    public static Wire.StoreResult ToWire(StoreOutcome outcome) => outcome switch
    {
        StoreOutcome.Stored => Wire.StoreResult.Stored,
        StoreOutcome.Older => Wire.StoreResult.Older,
        StoreOutcome.Full => Wire.StoreResult.Full,
        _ => Wire.StoreResult.Refused,
    };

    public static StoreOutcome Read(Wire.StoreResult result) => result switch
    {
        Wire.StoreResult.Stored => StoreOutcome.Stored,
        Wire.StoreResult.Older => StoreOutcome.Older,
        Wire.StoreResult.Full => StoreOutcome.Full,
        _ => StoreOutcome.Refused,
    };
}
