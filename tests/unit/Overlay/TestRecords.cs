using System.Buffers.Binary;
using Parallax.Contracts.Identifiers;
using Parallax.Overlay;
using Parallax.Overlay.Records;
using Parallax.Overlay.Routing;
using Parallax.Testing.Overlay;

namespace Parallax.UnitTests.Overlay;

/// <summary>Records and peers of tests.</summary>
internal static class TestRecords
{
    public static readonly OverlayKey Key = OverlayKey.Of("swarm", "name");
    public static readonly TimeSpan Lease = TimeSpan.FromSeconds(30);

    public static UncheckedSignatures Publisher(int number)
    {
        var key = new byte[8];
        BinaryPrimitives.WriteInt32BigEndian(key, number);
        return new UncheckedSignatures(key);
    }

    public static SignedRecord Record(
        int publisher, long sequence, long incarnation = 1, int valueBytes = 4, OverlayKey? key = null, TimeSpan? lease = null) =>
        SignedRecord.Sign(Publisher(publisher), key ?? Key, new RecordVersion(incarnation, sequence), lease ?? Lease, new byte[valueBytes]);

    /// <summary>The same record with a signature that is not its publisher's.</summary>
    public static SignedRecord Forge(SignedRecord record)
    {
        var signature = record.Signature.ToArray();
        signature[0] = 1;
        return new SignedRecord(record.Key, record.PublicKey, record.Version, record.Lease, record.Value, signature);
    }

    public static HeldRecord Whole(SignedRecord record) => new(record, record.Lease);

    /// <summary>A peer at a number, in a network of its own unless one is named.</summary>
    public static PeerContact Peer(PeerId id, int number, string? network = null) =>
        new(id, new Uri($"http://{network ?? $"10.{number / 250}.{number % 250}"}.{1 + (number % 250)}:7000"));
}
