using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Http.Features;
using Parallax.Identity;
using Parallax.Identity.Connections;
using Parallax.Identity.Revocation;

namespace Parallax.UnitTests.Identity;

public sealed class AcceptedConnectionTests : IDisposable
{
    private readonly IdentityFixture _swarm = new();
    private readonly PeerKey _server = PeerKey.Create();
    private readonly PeerKey _peer = PeerKey.Create();

    public void Dispose()
    {
        _server.Dispose();
        _peer.Dispose();
        _swarm.Dispose();
    }

    [Fact]
    public async Task CloseIfStranger_WithoutCertificate_Closes()
    {
        using var credentials = _swarm.Member(_server);
        await using var connection = new Connection();

        new AcceptedConnection(credentials, connection).CloseIfStranger();

        Assert.True(connection.IsAborted);
    }

    [Fact]
    public async Task CloseIfStranger_Member_StaysUntilItIsRevoked()
    {
        using var credentials = _swarm.Member(_server);
        await using var connection = Connect();
        var accepted = new AcceptedConnection(credentials, connection);

        accepted.CloseIfStranger();
        accepted.CloseIf(static _ => false);
        Assert.Equal(_peer.Id, accepted.Caller(out _)?.Id);
        Assert.False(connection.IsAborted);

        accepted.CloseIf(peer => peer == _peer.Id);
        Assert.True(connection.IsAborted);
    }

    [Fact]
    public async Task Caller_StandingChanges_IsLookedAtAnew()
    {
        using var credentials = _swarm.Member(_server);
        await using var connection = Connect();
        var accepted = new AcceptedConnection(credentials, connection);
        Assert.NotNull(accepted.Caller(out _));

        _swarm.Clock.Advance(TimeSpan.FromHours(25));
        Assert.Null(accepted.Caller(out var problem));
        Assert.Contains("expired", problem, StringComparison.Ordinal);
        credentials.ApplyRevocations(RevocationSet.Sign(_swarm.SwarmKey, 1, [_peer.Id], []).Envelope.Span);
        Assert.Null(accepted.Caller(out problem));
        Assert.Contains("revoked", problem, StringComparison.Ordinal);
    }

    private Connection Connect()
    {
        var connection = new Connection();
        connection.Features.Set<ITlsConnectionFeature>(new Tls { ClientCertificate = X509CertificateLoader.LoadCertificate(_swarm.Issue(_peer, MemberRoles.Worker)) });
        return connection;
    }

    private sealed class Connection : DefaultConnectionContext
    {
        public bool IsAborted { get; private set; }

        public override void Abort(ConnectionAbortedException abortReason) => IsAborted = true;
    }

    private sealed class Tls : ITlsConnectionFeature
    {
        public X509Certificate2? ClientCertificate { get; set; }

        public Task<X509Certificate2?> GetClientCertificateAsync(CancellationToken cancellationToken) => Task.FromResult(ClientCertificate);
    }
}
