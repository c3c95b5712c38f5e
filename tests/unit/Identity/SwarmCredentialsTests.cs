using Parallax.Identity;
using Parallax.Identity.Certificates;
using Parallax.Identity.Revocation;

namespace Parallax.UnitTests.Identity;

public sealed class SwarmCredentialsTests : IDisposable
{
    private readonly IdentityFixture _swarm = new();
    private readonly PeerKey _key = PeerKey.Create();

    public void Dispose()
    {
        _key.Dispose();
        _swarm.Dispose();
    }

    [Theory]
    [InlineData(MemberRoles.None)]
    [InlineData(MemberRoles.Worker)]
    [InlineData(MemberRoles.Router | MemberRoles.Scheduler)]
    [InlineData(MemberRolesText.All)]
    public void Verify_IssuedCertificate_NamesPeerAndRoles(MemberRoles roles)
    {
        using var peer = PeerKey.Create();
        using var credentials = _swarm.Member(_key);

        var member = credentials.Verify(_swarm.Issue(peer, roles), out var problem);

        Assert.Equal("", problem);
        Assert.Equal((peer.Id, roles, _swarm.Now + SwarmCertificates.MemberLife), (member?.Id, member?.Roles, member?.NotAfter));
        Assert.True(peer.PublicKey.Span.SequenceEqual(member!.PublicKey.Span));
        Assert.Equal((_key.Id, _swarm.SwarmKey.Id), (credentials.Self, credentials.Swarm));
    }

    [Fact]
    public void Verify_ExpiredOrNotYetValid_IsRefusedByTheGivenClock()
    {
        using var credentials = _swarm.Member(_key);
        using var peer = PeerKey.Create();
        var certificate = _swarm.Issue(peer, MemberRoles.Worker);

        _swarm.Clock.Advance(SwarmCertificates.MemberLife);
        Assert.NotNull(credentials.Verify(certificate, out _));
        _swarm.Clock.Advance(TimeSpan.FromSeconds(1));
        Assert.Null(credentials.Verify(certificate, out var problem));
        Assert.Contains("expired", problem, StringComparison.Ordinal);

        using var early = new IdentityFixture();
        using var earlyMember = new SwarmCredentials(_key, early.Issue(_key, MemberRoles.Worker), early.Authority, [], new Microsoft.Extensions.Time.Testing.FakeTimeProvider(early.Now.AddHours(-1)));
        Assert.Null(earlyMember.Verify(early.Issue(peer, MemberRoles.Worker), out problem));
        Assert.Contains("valid only from", problem, StringComparison.Ordinal);
    }

    [Fact]
    public void Verify_OfAnotherSwarmOrSelfMadeOrGarbage_IsRefused()
    {
        using var other = new IdentityFixture();
        using var credentials = _swarm.Member(_key);

        Assert.Null(credentials.Verify(other.Issue(_key, MemberRoles.Worker), out var problem));
        Assert.Contains("not of this swarm", problem, StringComparison.Ordinal);
        Assert.Null(credentials.Verify(other.Authority, out _));
        Assert.Null(credentials.Verify(_swarm.Authority, out _));
        Assert.Null(credentials.Verify([1, 2, 3], out problem));
        Assert.Contains("no certificate", problem, StringComparison.Ordinal);
    }

    [Fact]
    public void Verify_IssuedByAMember_IsRefused()
    {
        // A member that signs as if it were the swarm, under the swarm's own name.
        using var member = PeerKey.Create();
        using var peer = PeerKey.Create();
        using var credentials = _swarm.Member(_key);
        using var authority = System.Security.Cryptography.X509Certificates.X509CertificateLoader.LoadCertificate(_swarm.Authority);
        using var forged = SwarmCertificates.Issue(member, authority, peer.PublicKey.Span, MemberRoles.Worker, _swarm.Now);

        Assert.Null(credentials.Verify(forged.RawData, out var problem));
        Assert.Contains("not of this swarm", problem, StringComparison.Ordinal);
    }

    [Fact]
    public void Verify_ByteChangedAnywhere_IsNeverBelieved()
    {
        using var peer = PeerKey.Create();
        using var credentials = _swarm.Member(_key);
        var certificate = _swarm.Issue(peer, MemberRoles.Worker);
        for (var i = 0; i < certificate.Length; i += 3)
        {
            var damaged = certificate.ToArray();
            damaged[i] ^= 0x04;
            Assert.Null(credentials.Verify(damaged, out _));
        }
    }

    [Fact]
    public void Verify_RevokedPeer_IsRefused()
    {
        using var peer = PeerKey.Create();
        using var credentials = _swarm.Member(_key);
        credentials.ApplyRevocations(RevocationSet.Sign(_swarm.SwarmKey, 1, [peer.Id], []).Envelope.Span);

        Assert.Null(credentials.Verify(_swarm.Issue(peer, MemberRoles.Worker), out var problem));
        Assert.Contains("revoked", problem, StringComparison.Ordinal);
    }

    [Fact]
    public void Replace_OwnCertificateOnly_IsTaken()
    {
        using var peer = PeerKey.Create();
        using var credentials = _swarm.Member(_key);
        _swarm.Clock.Advance(TimeSpan.FromHours(12));

        credentials.Replace(_swarm.Issue(_key, MemberRoles.Router));

        Assert.Equal((MemberRoles.Router, _swarm.Now + SwarmCertificates.MemberLife), (credentials.Member.Roles, credentials.Member.NotAfter));
        Assert.Throws<IdentityException>(() => credentials.Replace(_swarm.Issue(peer, MemberRoles.Worker)));
        Assert.Throws<IdentityException>(() => credentials.Replace([1, 2]));
        Assert.Equal(MemberRoles.Router, credentials.Member.Roles);
    }

    [Fact]
    public void Issue_KeyOfAnotherKind_IsRefused()
    {
        using var authority = System.Security.Cryptography.X509Certificates.X509CertificateLoader.LoadCertificate(_swarm.Authority);
        using var p384 = System.Security.Cryptography.ECDsa.Create(System.Security.Cryptography.ECCurve.NamedCurves.nistP384);
        using var rsa = System.Security.Cryptography.RSA.Create(2048);

        foreach (var key in new[] { p384.ExportSubjectPublicKeyInfo(), rsa.ExportSubjectPublicKeyInfo(), [], new byte[91] })
        {
            Assert.Throws<System.Security.Cryptography.CryptographicException>(
                () => SwarmCertificates.Issue(_swarm.SwarmKey, authority, key, MemberRoles.Worker, _swarm.Now));
        }
    }
}
