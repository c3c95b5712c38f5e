using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using MassTransit;

namespace Parallax.Bus;

/// <summary>TLS to the broker.</summary>
internal static class BusCertificates
{
    /// <summary>Sets TLS up as the options say.</summary>
    /// <exception cref="BusException">A file cannot be read.</exception>
    public static void Apply(BusOptions options, IRabbitMqSslConfigurator tls)
    {
        tls.ServerName = options.Host;
        tls.Protocol = SslProtocols.None; // the system's choice
        if (options.AuthorityFile is { } authorityFile)
        {
            var authorities = Read(authorityFile, static path =>
            {
                var found = new X509Certificate2Collection();
                found.ImportFromPemFile(path);
                return found.Count > 0 ? found : throw new CryptographicException("there is no certificate in it");
            });
            tls.CertificateValidationCallback = (_, certificate, _, problems) => IsTrusted(certificate, problems, authorities);
        }

        if (options.CertificateFile is { } certificateFile)
        {
            tls.Certificate = Read(certificateFile, path => X509Certificate2.CreateFromPemFile(path, options.KeyFile));
        }
    }

    private static bool IsTrusted(X509Certificate? certificate, SslPolicyErrors problems, X509Certificate2Collection authorities)
    {
        // The name and the certificate's presence are the platform's to check; the chain is ours.
        if (certificate is not X509Certificate2 shown || (problems & ~SslPolicyErrors.RemoteCertificateChainErrors) != 0)
        {
            return false;
        }

        using var chain = new X509Chain();
        chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        chain.ChainPolicy.CustomTrustStore.AddRange(authorities);
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        return chain.Build(shown);
    }

    private static T Read<T>(string path, Func<string, T> read)
    {
        try
        {
            return read(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or CryptographicException)
        {
            throw new BusException($"--bus: {path} cannot be used: {e.Message}", e);
        }
    }
}
