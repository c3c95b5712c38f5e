using Parallax.Overlay.Records;

namespace Parallax.Testing.Overlay;

/// <summary>
/// Signatures of simulated peers: they take no time and prove nothing. A record whose first signature byte is not 0 counts
/// as forged.
/// </summary>
internal sealed class UncheckedSignatures(ReadOnlyMemory<byte> publicKey) : IRecordSigner, IRecordVerifier
{
    public static readonly UncheckedSignatures Verifier = new(ReadOnlyMemory<byte>.Empty);

    public ReadOnlyMemory<byte> PublicKey => publicKey;

    public byte[] Sign(ReadOnlySpan<byte> data) => new byte[SignedRecord.SignatureBytes];

    public bool Verify(SignedRecord record) => record.Signature.Span[0] == 0;
}
