using System.Globalization;
using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Parallax.Router.Access.Tls;

/// <summary>A certificate with its key and chain, ready for handshakes.</summary>
internal sealed class TlsPair
{
    private TlsPair(SslStreamCertificateContext context) => Context = context;

    /// <summary>For the handshake.</summary>
    public SslStreamCertificateContext Context { get; }

    /// <summary>What it is called, and when it ends: for logs.</summary>
    public string Description => string.Create(
        CultureInfo.InvariantCulture, $"{Context.TargetCertificate.Subject}, until {Context.TargetCertificate.NotAfter.ToUniversalTime():u}, {Context.TargetCertificate.Thumbprint[..16]}");

    /// <summary>Makes a pair of files.</summary>
    /// <exception cref="TlsException">They are no certificate and its key, or its time is over or has not come.</exception>
    public static TlsPair Create(TlsFiles files, string certificatePath, string keyPath, DateTimeOffset now)
    {
        var chain = new X509Certificate2Collection();
        X509Certificate2 certificate;
        try
        {
            chain.ImportFromPem(files.Certificates);
            if (chain.Count == 0)
            {
                throw new TlsException($"'{certificatePath}' holds no certificate: it needs PEM, -----BEGIN CERTIFICATE-----.");
            }

            certificate = X509Certificate2.CreateFromPem(files.Certificates, files.Key);
        }
        catch (Exception e) when (e is CryptographicException or ArgumentException)
        {
            // The library's texts name no key.
            throw new TlsException(
                $"'{certificatePath}' and '{keyPath}' are no certificate and its private key (PEM, not encrypted): {e.Message}", e);
        }

        var (begins, ends) = (certificate.NotBefore.ToUniversalTime(), certificate.NotAfter.ToUniversalTime());
        if (now.UtcDateTime < begins || now.UtcDateTime > ends)
        {
            certificate.Dispose();
            throw new TlsException(string.Create(
                CultureInfo.InvariantCulture, $"The certificate in '{certificatePath}' is valid from {begins:u} to {ends:u}, and not now."));
        }

        if (OperatingSystem.IsWindows())
        {
            // There, TLS takes no key that was never kept anywhere.
            var kept = X509CertificateLoader.LoadPkcs12(certificate.Export(X509ContentType.Pkcs12), null);
            certificate.Dispose();
            certificate = kept;
        }

        chain.RemoveAt(0);
        return new TlsPair(SslStreamCertificateContext.Create(certificate, chain, offline: true));
    }
}
