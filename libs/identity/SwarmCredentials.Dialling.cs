using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using Parallax.Contracts.Identifiers;
using Parallax.Identity.Certificates;

namespace Parallax.Identity;

public sealed partial class SwarmCredentials
{
    /// <summary>
    /// How long a connection takes new calls; calls that run stay on it. Well below half of a certificate's life, after
    /// which certificates are renewed: a call never goes out on a connection whose certificate has expired since.
    /// </summary>
    private static readonly TimeSpan ConnectionLife = TimeSpan.FromHours(4);

    /// <summary>
    /// An HTTP handler that shows this peer's certificate, the one that is present when it connects, and talks only to
    /// members of the swarm in good standing. No proxy. The caller may set its other properties.
    /// </summary>
    /// <param name="expected">The one peer that must answer; null for any member.</param>
    /// <param name="roles">What it must at least be.</param>
    public SocketsHttpHandler CreateHandler(PeerId? expected = null, MemberRoles roles = MemberRoles.None) => new()
    {
        SslOptions = ClientOptions(new Demand(this, expected, roles)),
        PooledConnectionLifetime = ConnectionLife,
        UseProxy = false,
        PlaintextStreamFilter = (context, _) =>
        {
            if (context.PlaintextStream is SslStream { RemoteCertificate: X509Certificate2 certificate } stream && Read(certificate, out var _) is { } member)
            {
                _connections.Add(member.Id, stream);
                if (Problem(member) is { } problem)
                {
                    // Revoked between the handshake and here, when the registry did not know the connection yet.
                    throw new AuthenticationException(problem);
                }
            }

            return ValueTask.FromResult(context.PlaintextStream);
        },
    };

    /// <summary>A handler for links with the worker of an id, which is the only one that may answer.</summary>
    /// <param name="workerId">A peer id in text.</param>
    /// <exception cref="IdentityException">It is none.</exception>
    public SocketsHttpHandler CreateWorkerHandler(string workerId) => PeerId.TryParse(workerId, out var id)
        ? CreateHandler(id, MemberRoles.Worker)
        : throw new IdentityException($"'{workerId}' is no peer id: members of a swarm know each other by 40 hexadecimal digits.");

    private SslClientAuthenticationOptions ClientOptions(Demand demand) => new()
    {
        LocalCertificateSelectionCallback = (_, _, _, _, _) => _current.Certificate,
        CertificateChainPolicy = SwarmCertificates.Policy(_authority),
        CertificateRevocationCheckMode = X509RevocationMode.NoCheck,
        RemoteCertificateValidationCallback = demand.IsMet,
        EnabledSslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13,
        AllowRenegotiation = false,
        AllowTlsResume = false,
    };

    /// <summary>What the answering side must be. Its name does not matter: its key does.</summary>
    private sealed class Demand(SwarmCredentials credentials, PeerId? expected, MemberRoles roles)
    {
        public bool IsMet(object sender, X509Certificate? certificate, X509Chain? chain, SslPolicyErrors errors)
        {
            if (certificate is not X509Certificate2 shown)
            {
                throw new AuthenticationException("The peer shows no certificate.");
            }

            if (credentials.Verify(shown, out var problem) is not { } member)
            {
                throw new AuthenticationException($"The peer that answers is refused: {problem}.");
            }

            if (expected is { } one && member.Id != one)
            {
                throw new AuthenticationException($"{member.Id} answers where {one} is expected.");
            }

            return (member.Roles & roles) == roles
                ? true
                : throw new AuthenticationException($"{member.Id} answers, which is {member.Roles.ToText()} and not {roles.ToText()}.");
        }
    }
}
