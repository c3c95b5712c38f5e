using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Parallax.Identity.Certificates;
using Parallax.Identity.Connections;

namespace Parallax.Identity;

public sealed partial class SwarmCredentials
{
    private const int MaxCertificateBytes = 4096; // a member's has about 600

    private static readonly TimeSpan HandshakeTime = TimeSpan.FromSeconds(10);

    /// <summary>How long a connection may stay that is no member's: enough to join, too short to hold places that members need.</summary>
    private static readonly TimeSpan StrangerTime = TimeSpan.FromSeconds(30);

    /// <summary>
    /// Makes an endpoint one of the swarm: TLS with this peer's certificate, the caller's asked for. The handshake lets
    /// everybody in, because whoever joins has no certificate yet; the gate decides on every call,
    /// and must stand before all of them (<see cref="Access.AccessExtensions.AddSwarmAccess"/>).
    /// </summary>
    public void Secure(ListenOptions endpoint)
    {
        ArgumentNullException.ThrowIfNull(endpoint);
        endpoint.Use(next => async connection =>
        {
            var accepted = new AcceptedConnection(this, connection);
            connection.Features.Set(accepted);
            _connections.Add(accepted);
            await using var timer = _clock.CreateTimer(
                static state => ((AcceptedConnection)state!).CloseIfStranger(), accepted, StrangerTime, Timeout.InfiniteTimeSpan);
            try
            {
                await next(connection);
            }
            finally
            {
                _connections.Remove(accepted);
            }
        });
        endpoint.UseHttps(new TlsHandshakeCallbackOptions
        {
            HandshakeTimeout = HandshakeTime,
            OnConnection = _ => ValueTask.FromResult(ServerOptions()),
        });
    }

    /// <summary>The member that makes a call; null when the caller is none in good standing.</summary>
    public static MemberIdentity? CallerOf(HttpContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        return context.Features.Get<AcceptedConnection>()?.Caller(out _);
    }

    /// <summary>The id of the member that makes a call, in text; null when the caller is none in good standing.</summary>
    public static string? CallerIdOf(HttpContext context) => CallerOf(context)?.Id.ToString();

    private SslServerAuthenticationOptions ServerOptions() => new()
    {
        ServerCertificateContext = _current.Context,
        ClientCertificateRequired = true, // asked for; whether it came and is good, the gate looks
        CertificateChainPolicy = SwarmCertificates.Policy(_authority),
        CertificateRevocationCheckMode = X509RevocationMode.NoCheck,
        RemoteCertificateValidationCallback = IsReadable, // and no more: the gate says why it refuses, a handshake cannot
        EnabledSslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13,
        AllowRenegotiation = false,
        AllowTlsResume = false, // each connection shows its certificate
    };

    private static bool IsReadable(object sender, X509Certificate? certificate, X509Chain? chain, SslPolicyErrors errors) =>
        certificate is null || certificate.GetRawCertData().Length <= MaxCertificateBytes;
}
