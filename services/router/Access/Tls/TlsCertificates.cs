using System.Net.Security;
using System.Security.Authentication;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;

namespace Parallax.Router.Access.Tls;

/// <summary>
/// The certificate that connections are answered with. Its files are looked at every few seconds; when they have changed and make a
/// pair, new connections get the new one, and when they make none, the old one stays and the log says why.
/// </summary>
internal sealed partial class TlsCertificates : BackgroundService
{
    /// <summary>How often the files are looked at.</summary>
    public static readonly TimeSpan LookEvery = TimeSpan.FromSeconds(2);

    private static readonly TimeSpan HandshakeTime = TimeSpan.FromSeconds(10);

    private readonly string _certificatePath;
    private readonly string _keyPath;
    private readonly TimeProvider _clock;
    private readonly ILogger<TlsCertificates> _logger;
    private volatile TlsPair _pair;
    private string _seen; // the files of that pair
    private string _said = ""; // what is wrong with newer ones

    /// <exception cref="TlsException">The files make no pair.</exception>
    public TlsCertificates(RouterAccess access, TimeProvider clock, ILogger<TlsCertificates> logger)
    {
        (_certificatePath, _keyPath, _clock, _logger) = (access.TlsCertificate!, access.TlsKey!, clock, logger);
        var files = TlsFiles.Read(_certificatePath, _keyPath);
        (_pair, _seen) = (TlsPair.Create(files, _certificatePath, _keyPath, clock.GetUtcNow()), files.Hash);
    }

    /// <summary>The pair in use.</summary>
    public TlsPair Current => _pair;

    /// <summary>Puts TLS on an endpoint: HTTP/2 and HTTP/1.1, as the client likes.</summary>
    public void Secure(ListenOptions endpoint)
    {
        endpoint.Protocols = HttpProtocols.Http1AndHttp2;
        endpoint.UseHttps(new TlsHandshakeCallbackOptions
        {
            HandshakeTimeout = HandshakeTime,
            OnConnection = _ => ValueTask.FromResult(new SslServerAuthenticationOptions
            {
                ServerCertificateContext = _pair.Context,
                EnabledSslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13,
                ApplicationProtocols = [SslApplicationProtocol.Http2, SslApplicationProtocol.Http11],
                AllowRenegotiation = false,
            }),
        });
    }

    /// <summary>Looks at the files.</summary>
    /// <returns>Whether there is a new pair.</returns>
    internal bool Look()
    {
        try
        {
            var files = TlsFiles.Read(_certificatePath, _keyPath);
            if (files.Hash == _seen)
            {
                return false;
            }

            _pair = TlsPair.Create(files, _certificatePath, _keyPath, _clock.GetUtcNow()); // the old one lives as long as handshakes use it
            (_seen, _said) = (files.Hash, "");
            LogChanged(_pair.Description);
            return true;
        }
        catch (TlsException e)
        {
            // One of the two may be written before the other: this is said once, and tried again.
            if (e.Message != _said)
            {
                _said = e.Message;
                LogKept(e.Message, _pair.Description);
            }

            return false;
        }
    }

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(LookEvery, _clock);
        try
        {
            while (await timer.WaitForNextTickAsync(stoppingToken))
            {
                Look();
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The router stops.
        }
    }

    [LoggerMessage(80, LogLevel.Information, "New connections get the certificate {Certificate}")]
    private partial void LogChanged(string certificate);

    [LoggerMessage(81, LogLevel.Warning, "The changed certificate is not used: {Problem} The old one stays: {Certificate}")]
    private partial void LogKept(string problem, string certificate);
}
