using Parallax.Identity;

namespace Parallax.Overlay.Records;

/// <summary>Signs with a peer's key.</summary>
internal sealed class PeerKeySigner(PeerKey key) : IRecordSigner
{
    public ReadOnlyMemory<byte> PublicKey => key.PublicKey;

    public byte[] Sign(ReadOnlySpan<byte> data) => key.Sign(data);
}
