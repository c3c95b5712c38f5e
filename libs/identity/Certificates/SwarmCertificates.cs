using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Parallax.Contracts.Identifiers;

namespace Parallax.Identity.Certificates;

/// <summary>
/// The certificates of a swarm: its own, signed by itself, and members', signed by it. A member's names the swarm
/// (organisation), its roles (organisational units) and its peer id (common name and subject alternative name).
/// </summary>
internal static class SwarmCertificates
{
    /// <summary>How long a member's certificate is valid.</summary>
    public static readonly TimeSpan MemberLife = TimeSpan.FromHours(24);

    /// <summary>How far members' clocks may differ.</summary>
    public static readonly TimeSpan ClockSkew = TimeSpan.FromMinutes(10);

    private static readonly TimeSpan SwarmLife = TimeSpan.FromDays(3650);
    private static readonly Oid ServerUse = new("1.3.6.1.5.5.7.3.1");
    private static readonly Oid ClientUse = new("1.3.6.1.5.5.7.3.2");

    /// <summary>The swarm's certificate.</summary>
    public static X509Certificate2 CreateAuthority(PeerKey swarmKey, DateTimeOffset now) => swarmKey.Use(key =>
    {
        var name = new X500DistinguishedNameBuilder();
        name.AddOrganizationName(swarmKey.Id.ToString());
        name.AddCommonName("parallax swarm");
        var request = new CertificateRequest(name.Build(), key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, true, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign, true));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, false));
        using var signed = request.CreateSelfSigned(now - ClockSkew, now + SwarmLife);
        return X509CertificateLoader.LoadCertificate(signed.RawData); // without the private key
    });

    /// <summary>A member's certificate.</summary>
    /// <param name="swarmKey">The swarm's key.</param>
    /// <param name="authority">The swarm's certificate.</param>
    /// <param name="publicKey">The member's, SubjectPublicKeyInfo in DER.</param>
    /// <param name="roles">What it may do.</param>
    /// <param name="now">The time.</param>
    /// <exception cref="CryptographicException">It is no key on P-256.</exception>
    public static X509Certificate2 Issue(
        PeerKey swarmKey, X509Certificate2 authority, ReadOnlySpan<byte> publicKey, MemberRoles roles, DateTimeOffset now)
    {
        if (!IsPeerKey(publicKey))
        {
            throw new CryptographicException("the public key is not one on the curve P-256");
        }

        var id = PeerId.OfPublicKey(publicKey).ToString();
        var name = new X500DistinguishedNameBuilder();
        name.AddOrganizationName(swarmKey.Id.ToString());
        foreach (var role in roles.Words())
        {
            name.AddOrganizationalUnitName(role);
        }

        name.AddCommonName(id);
        var alternative = new SubjectAlternativeNameBuilder();
        alternative.AddDnsName(id);
        var request = new CertificateRequest(name.Build(), PublicKey.CreateFromSubjectPublicKeyInfo(publicKey, out _), HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(false, false, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.DigitalSignature, true));
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([ServerUse, ClientUse], false));
        request.CertificateExtensions.Add(alternative.Build());
        request.CertificateExtensions.Add(X509AuthorityKeyIdentifierExtension.CreateFromCertificate(authority, includeKeyIdentifier: true, includeIssuerAndSerial: false));
        return swarmKey.Use(key => request.Create(
            authority.SubjectName, X509SignatureGenerator.CreateForECDsa(key), now - ClockSkew, now + MemberLife, RandomNumberGenerator.GetBytes(16)));
    }

    /// <summary>
    /// Who a certificate says its holder is, if the swarm's key signed it. Whether it is valid at this time and not revoked
    /// is <see cref="Standing"/>'s business.
    /// </summary>
    /// <param name="certificate">As it came.</param>
    /// <param name="authority">The swarm's.</param>
    /// <param name="problem">Why not, for people.</param>
    public static MemberIdentity? Read(X509Certificate2 certificate, X509Certificate2 authority, out string problem)
    {
        problem = "";
        using var chain = new X509Chain { ChainPolicy = Policy(authority) };
        try
        {
            if (!chain.Build(certificate) || chain.ChainElements.Count != 2 || !chain.ChainElements[1].Certificate.RawDataMemory.Span.SequenceEqual(authority.RawDataMemory.Span))
            {
                problem = "the certificate is not of this swarm";
                return null;
            }

            var publicKey = certificate.PublicKey.ExportSubjectPublicKeyInfo();
            var id = PeerId.OfPublicKey(publicKey);
            if (!IsPeerKey(publicKey) || certificate.GetNameInfo(X509NameType.SimpleName, forIssuer: false) != id.ToString())
            {
                problem = "the certificate is not a member's";
                return null;
            }

            return new MemberIdentity(id, publicKey, ReadRoles(certificate), ToUtc(certificate.NotBefore), ToUtc(certificate.NotAfter));
        }
        catch (CryptographicException e)
        {
            problem = $"the certificate cannot be read: {e.Message}";
            return null;
        }
        finally
        {
            foreach (var element in chain.ChainElements)
            {
                element.Certificate.Dispose();
            }
        }
    }

    /// <summary>What the TLS stack shall build chains with: this swarm's root, nothing from the machine or the network.</summary>
    public static X509ChainPolicy Policy(X509Certificate2 authority)
    {
        var policy = new X509ChainPolicy
        {
            TrustMode = X509ChainTrustMode.CustomRootTrust,
            RevocationMode = X509RevocationMode.NoCheck, // revocations are the swarm's own
            DisableCertificateDownloads = true,
            VerificationFlags = X509VerificationFlags.IgnoreNotTimeValid, // the clock is ours
        };
        policy.CustomTrustStore.Add(authority);
        return policy;
    }

    /// <summary>Whether these bytes are a public key on P-256 and nothing more.</summary>
    public static bool IsPeerKey(ReadOnlySpan<byte> publicKey)
    {
        using var key = ECDsa.Create();
        try
        {
            key.ImportSubjectPublicKeyInfo(publicKey, out var read);
            return read == publicKey.Length && key.ExportParameters(false).Curve.Oid is { Value: "1.2.840.10045.3.1.7" };
        }
        catch (CryptographicException)
        {
            return false; // whoever sent it is told so
        }
    }

    private static MemberRoles ReadRoles(X509Certificate2 certificate)
    {
        var roles = MemberRoles.None;
        foreach (var part in certificate.SubjectName.EnumerateRelativeDistinguishedNames())
        {
            if (!part.HasMultipleElements && part.GetSingleElementType().Value == "2.5.4.11")
            {
                // A role that this program does not know is one that it does not ask for.
                roles |= MemberRolesText.Parse(part.GetSingleElementValue() ?? "") ?? MemberRoles.None;
            }
        }

        return roles;
    }

    private static DateTimeOffset ToUtc(DateTime local) => new(local.ToUniversalTime(), TimeSpan.Zero);
}
