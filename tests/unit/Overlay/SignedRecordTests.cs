using System.Text;
using Parallax.Contracts.Identifiers;
using Parallax.Identity;
using Parallax.Overlay;
using Parallax.Overlay.Records;

namespace Parallax.UnitTests.Overlay;

public sealed class SignedRecordTests
{
    [Fact]
    public void SigningBytes_AreLaidOutAsDocumented()
    {
        var key = new OverlayKey(new PeerId(Enumerable.Repeat((byte)0xAB, 20).ToArray()));
        var record = new SignedRecord(
            key, new byte[] { 1, 2, 3 }, new RecordVersion(0x0102, 0x0304), TimeSpan.FromMilliseconds(30_000), "hi"u8.ToArray(), new byte[64]);
        Assert.Equal(
            Convert.ToHexString(Encoding.ASCII.GetBytes("parallax-record-v1\n")) + string.Concat(Enumerable.Repeat("AB", 20)) + "0003010203"
            + "0000000000000102" + "0000000000000304" + "0000000000007530" + "00000002" + "6869",
            Convert.ToHexString(record.SigningBytes()));
    }

    [Fact]
    public void Verify_AnyFieldChanged_IsForged()
    {
        using var key = PeerKey.Create();
        using var other = PeerKey.Create();
        var good = SignedRecord.Sign(new PeerKeySigner(key), TestRecords.Key, new RecordVersion(1, 1), TestRecords.Lease, new byte[] { 7 });
        var verifier = new RecordVerifier(capacity: 2);
        Assert.Equal(key.Id, good.Publisher);
        Assert.True(verifier.Verify(good));
        SignedRecord[] changed =
        [
            new(OverlayKey.Of("swarm", "elsewhere"), good.PublicKey, good.Version, good.Lease, good.Value, good.Signature),
            new(good.Key, other.PublicKey, good.Version, good.Lease, good.Value, good.Signature),
            new(good.Key, good.PublicKey, new RecordVersion(2, 1), good.Lease, good.Value, good.Signature),
            new(good.Key, good.PublicKey, new RecordVersion(1, 2), good.Lease, good.Value, good.Signature),
            new(good.Key, good.PublicKey, good.Version, good.Lease * 2, good.Value, good.Signature),
            new(good.Key, good.PublicKey, good.Version, good.Lease, new byte[] { 8 }, good.Signature),
            new(good.Key, good.PublicKey, good.Version, good.Lease, ReadOnlyMemory<byte>.Empty, good.Signature),
            new(good.Key, OffTheCurve(good.PublicKey), good.Version, good.Lease, good.Value, good.Signature),
            new(good.Key, new byte[] { 1, 2, 3 }, good.Version, good.Lease, good.Value, good.Signature),
        ];
        // Twice: what is remembered must be the verdict on this very record.
        foreach (var record in changed.Concat(changed))
        {
            Assert.False(verifier.Verify(record));
        }

        Assert.True(verifier.Verify(good));
    }

    private static byte[] OffTheCurve(ReadOnlyMemory<byte> publicKey)
    {
        var bytes = publicKey.ToArray();
        bytes[^1] ^= 1;
        return bytes;
    }
}
