using System.Net;
using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Parallax.Hosting.Http;
using Parallax.IntegrationTests.Identity;
using Parallax.IntegrationTests.Services;
using Parallax.Router;
using Parallax.Router.Access;
using Parallax.Router.Access.Tls;

namespace Parallax.IntegrationTests.Access;

/// <summary>TLS of a router's HTTP.</summary>
public sealed class TlsTests : IAsyncDisposable
{
    private readonly AccessFolder _folder = new();
    private readonly LogLines _log = new();
    private WebApplication? _router;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private string CertificatePath => Path.Combine(_folder.Path, "tls.crt");

    private string KeyPath => Path.Combine(_folder.Path, "tls.key");

    public async ValueTask DisposeAsync()
    {
        if (_router is not null)
        {
            await _router.StopAsync(CancellationToken.None);
            await _router.DisposeAsync();
        }

        _folder.Dispose();
    }

    [Theory]
    [InlineData("1.1")]
    [InlineData("2.0")]
    public async Task Api_OverTls_SpeaksBothVersions(string version)
    {
        var thumbprint = TestCertificate.Write(CertificatePath, KeyPath, "first");
        var address = await StartAsync();
        Assert.Equal("https", address.Scheme);
        Assert.Equal((thumbprint, Version.Parse(version)), await AskAsync(address, Version.Parse(version)));
    }

    [Fact]
    public async Task Certificate_Replaced_IsUsedForNewConnections_AndABadOneIsNot()
    {
        var first = TestCertificate.Write(CertificatePath, KeyPath, "first");
        var address = await StartAsync();
        Assert.Equal(first, (await AskAsync(address, HttpVersion.Version20)).Thumbprint);
        var certificates = _router!.Services.GetRequiredService<TlsCertificates>();

        // A certificate without its key: the old pair stays, and the log says so.
        var otherKey = Path.Combine(_folder.Path, "other.key");
        var replacement = Path.Combine(_folder.Path, "replacement");
        TestCertificate.Write(replacement, otherKey, "second");
        File.Move(replacement, CertificatePath, overwrite: true); // at once: who looks meanwhile must not find half of it
        await Eventually.TrueAsync(() => _log.Has("Warning", "The old one stays"));
        Assert.False(certificates.Look());
        Assert.Equal(first, (await AskAsync(address, HttpVersion.Version20)).Thumbprint);
        Assert.Single(_log.Lines, static line => line.Contains("The old one stays", StringComparison.Ordinal));

        // One that is no certificate at all, and one whose time is over.
        await File.WriteAllTextAsync(CertificatePath, "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", Token);
        Assert.False(certificates.Look());
        TestCertificate.Write(CertificatePath, KeyPath, "old", TimeSpan.FromHours(-1));
        Assert.False(certificates.Look());
        Assert.True(_log.Has("Warning", "and not now"));
        Assert.Equal(first, (await AskAsync(address, HttpVersion.Version20)).Thumbprint);

        var third = TestCertificate.Write(CertificatePath, KeyPath, "third");
        await Eventually.TrueAsync(() => _log.Has("Information", "New connections get the certificate", "CN=third"));
        Assert.Equal(third, (await AskAsync(address, HttpVersion.Version20)).Thumbprint);
        var key = (await File.ReadAllTextAsync(KeyPath, Token)).Split('\n')[1];
        Assert.DoesNotContain(_log.Lines, line => line.Contains(key, StringComparison.Ordinal));
    }

    [Fact]
    public void Certificate_ThatCannotBeUsed_FailsTheStart()
    {
        Assert.Contains("cannot be read", Assert.Throws<TlsException>(Build).Message, StringComparison.Ordinal);
        TestCertificate.Write(CertificatePath, KeyPath, "first");
        File.WriteAllText(KeyPath, "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n");
        Assert.Contains(KeyPath, Assert.Throws<TlsException>(Build).Message, StringComparison.Ordinal);
    }

    private void Build()
    {
        var builder = TestHosts.NewBuilder();
        builder.Logging.AddProvider(_log);
        builder.AddRouter(
            new RouterOptions { Workers = [new Uri("http://127.0.0.1:1")], Port = 0, Access = new RouterAccess { TlsCertificate = CertificatePath, TlsKey = KeyPath } },
            TestCluster.ByteModel());
        _router = builder.Build();
        _router.MapRouter();
    }

    private async Task<Uri> StartAsync()
    {
        Build();
        await _router!.StartAsync(Token);
        return _router!.ListeningAddress();
    }

    /// <summary>One request over a connection of its own: the certificate that it got, and the version that it was answered with.</summary>
    private static async Task<(string Thumbprint, Version Version)> AskAsync(Uri address, Version version)
    {
        var thumbprint = "";
        using var http = new HttpClient(new SocketsHttpHandler
        {
            SslOptions = new SslClientAuthenticationOptions
            {
                RemoteCertificateValidationCallback = (_, certificate, _, _) =>
                {
                    thumbprint = ((X509Certificate2)certificate!).Thumbprint;
                    return thumbprint.Length > 0; // which one it is, is what the test asks
                },
            },
        })
        { BaseAddress = address };
        using var request = new HttpRequestMessage(HttpMethod.Get, "/v1/models") { Version = version, VersionPolicy = HttpVersionPolicy.RequestVersionExact };
        using var response = await http.SendAsync(request, Token);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        return (thumbprint, response.Version);
    }
}
