using System.Security.Cryptography;
using Parallax.Contracts.Identifiers;

namespace Parallax.Identity;

/// <summary>A peer's key pair (ECDSA on P-256, SHA-256): its id is its key. Thread-safe.</summary>
public sealed class PeerKey : IDisposable
{
    private readonly Lock _gate = new(); // ECDsa instances are not promised to be thread-safe
    private readonly ECDsa _key;

    private PeerKey(ECDsa key)
    {
        _key = key;
        PublicKey = key.ExportSubjectPublicKeyInfo();
        Id = PeerId.OfPublicKey(PublicKey.Span);
    }

    /// <summary>Of this key.</summary>
    public PeerId Id { get; }

    /// <summary>SubjectPublicKeyInfo in DER.</summary>
    public ReadOnlyMemory<byte> PublicKey { get; }

    /// <summary>A fresh key.</summary>
    public static PeerKey Create() => new(ECDsa.Create(ECCurve.NamedCurves.nistP256));

    /// <summary>A key from its PEM text (PKCS #8).</summary>
    /// <exception cref="CryptographicException">It is no key on P-256.</exception>
    public static PeerKey FromPem(string pem)
    {
        var key = ECDsa.Create();
        try
        {
            key.ImportFromPem(pem);
            return key.KeySize == 256 ? new PeerKey(key) : throw new CryptographicException("the key is not on the curve P-256");
        }
        catch (ArgumentException e)
        {
            key.Dispose();
            throw new CryptographicException("the text holds no key", e);
        }
        catch
        {
            key.Dispose();
            throw;
        }
    }

    /// <summary>PKCS #8 in PEM: keep it secret.</summary>
    public string ExportPem()
    {
        lock (_gate)
        {
            return _key.ExportPkcs8PrivateKeyPem();
        }
    }

    /// <summary>Signs; 64 bytes (IEEE P1363).</summary>
    public byte[] Sign(ReadOnlySpan<byte> data)
    {
        lock (_gate)
        {
            return _key.SignData(data, HashAlgorithmName.SHA256);
        }
    }

    /// <summary>Whether a signature over <paramref name="data"/> is the key's; false also for what is no key or no signature.</summary>
    /// <param name="publicKey">SubjectPublicKeyInfo in DER.</param>
    /// <param name="data">What was signed.</param>
    /// <param name="signature">64 bytes.</param>
    public static bool Verify(ReadOnlySpan<byte> publicKey, ReadOnlySpan<byte> data, ReadOnlySpan<byte> signature)
    {
        using var key = ECDsa.Create();
        try
        {
            key.ImportSubjectPublicKeyInfo(publicKey, out var read);
            return read == publicKey.Length && key.KeySize == 256 && key.VerifyData(data, signature, HashAlgorithmName.SHA256);
        }
        catch (Exception e) when (e is CryptographicException or PlatformNotSupportedException) // the latter for a point off the curve
        {
            return false; // whoever sent it is not to be believed
        }
    }

    /// <summary>Lends the key to code that needs it as such, e.g. to put it into a certificate.</summary>
    internal T Use<T>(Func<ECDsa, T> use)
    {
        lock (_gate)
        {
            return use(_key);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _key.Dispose();
}
