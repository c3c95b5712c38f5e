namespace Parallax.Overlay.Records;

/// <summary>Signs this peer's records.</summary>
internal interface IRecordSigner
{
    /// <summary>SubjectPublicKeyInfo in DER.</summary>
    ReadOnlyMemory<byte> PublicKey { get; }

    /// <summary>64 bytes.</summary>
    byte[] Sign(ReadOnlySpan<byte> data);
}
