using System.Security.Cryptography.X509Certificates;
using Parallax.Identity.Certificates;

namespace Parallax.Identity.Authority;

/// <summary>
/// A swarm that one process makes for itself and that ends with it: its key is nowhere but in memory, and nobody else can
/// join. Members' certificates are renewed by it. Thread-safe.
/// </summary>
public sealed class PrivateSwarm : IDisposable
{
    private readonly Lock _gate = new(); // guards _members
    private readonly List<(PeerKey Key, SwarmCredentials Credentials)> _members = [];
    private readonly PeerKey _key = PeerKey.Create();
    private readonly X509Certificate2 _certificate;
    private readonly TimeProvider _clock;
    private readonly ITimer _renewal;

    /// <param name="clock">Clock.</param>
    public PrivateSwarm(TimeProvider clock)
    {
        ArgumentNullException.ThrowIfNull(clock);
        _clock = clock;
        _certificate = SwarmCertificates.CreateAuthority(_key, clock.GetUtcNow());
        _renewal = clock.CreateTimer(_ => Renew(), null, SwarmCertificates.MemberLife / 2, SwarmCertificates.MemberLife / 2);
    }

    /// <summary>A further member, with a key of its own. Disposed with the swarm.</summary>
    public SwarmCredentials CreateMember(MemberRoles roles)
    {
        var key = PeerKey.Create();
        var credentials = new SwarmCredentials(key, Issue(key, roles), _certificate.RawDataMemory.Span, [], _clock);
        lock (_gate)
        {
            _members.Add((key, credentials));
        }

        return credentials;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _renewal.Dispose();
        lock (_gate)
        {
            foreach (var (key, credentials) in _members)
            {
                credentials.Dispose();
                key.Dispose();
            }

            _members.Clear();
        }

        _certificate.Dispose();
        _key.Dispose();
    }

    private void Renew()
    {
        lock (_gate)
        {
            foreach (var (key, credentials) in _members)
            {
                credentials.Replace(Issue(key, credentials.Member.Roles));
            }
        }
    }

    private byte[] Issue(PeerKey key, MemberRoles roles)
    {
        using var certificate = SwarmCertificates.Issue(_key, _certificate, key.PublicKey.Span, roles, _clock.GetUtcNow());
        return certificate.RawData;
    }
}
