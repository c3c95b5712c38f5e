using System.Globalization;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Parallax.Contracts.Identifiers;
using Parallax.Identity.Certificates;

namespace Parallax.Audit.Verify;

/// <summary>Whether a key is its holder's, and the swarm's certificate for it the swarm's.</summary>
internal static class WriterTrust
{
    /// <summary>The key's bytes, if the writer's id is its hash; empty otherwise.</summary>
    public static ReadOnlyMemory<byte> KeyOf(string writer, string publicKey)
    {
        Span<byte> bytes = stackalloc byte[1024];
        return Convert.TryFromBase64String(publicKey, bytes, out var count) && PeerId.OfPublicKey(bytes[..count]).ToString() == writer
            ? bytes[..count].ToArray()
            : ReadOnlyMemory<byte>.Empty;
    }

    /// <summary>What is wrong with a writer's certificate, for people; null where nothing is.</summary>
    /// <param name="publicKey">The writer's key.</param>
    /// <param name="certificate">Base64; null where it has none.</param>
    /// <param name="authority">The swarm's own, Base64; null where it is not given.</param>
    /// <param name="swarm">The swarm it must be of; null asks for none.</param>
    /// <param name="at">When it was used.</param>
    public static string? Problem(ReadOnlySpan<byte> publicKey, string? certificate, string? authority, PeerId? swarm, DateTimeOffset at)
    {
        if (certificate is null || authority is null)
        {
            return swarm is null ? null : $"shows no certificate of the swarm {swarm}";
        }

        try
        {
            using var root = X509CertificateLoader.LoadCertificate(Convert.FromBase64String(authority));
            using var own = X509CertificateLoader.LoadCertificate(Convert.FromBase64String(certificate));
            var rootKey = root.PublicKey.ExportSubjectPublicKeyInfo();
            if (swarm is { } wanted && PeerId.OfPublicKey(rootKey) != wanted)
            {
                return $"is of the swarm {PeerId.OfPublicKey(rootKey)}, not of {wanted}";
            }

            if (SwarmCertificates.Read(own, root, out var problem) is not { } member)
            {
                return $"has a certificate that is not good: {problem}";
            }

            if (!member.PublicKey.Span.SequenceEqual(publicKey))
            {
                return "has a certificate of another key";
            }

            return at < member.NotBefore || at > member.NotAfter
                ? string.Create(CultureInfo.InvariantCulture, $"had a certificate that was valid from {member.NotBefore:u} to {member.NotAfter:u} only, at {at:u}")
                : null;
        }
        catch (Exception e) when (e is CryptographicException or FormatException)
        {
            return $"has a certificate that cannot be read: {e.Message}";
        }
    }
}
