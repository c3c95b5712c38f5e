using Microsoft.Extensions.Time.Testing;
using Parallax.Contracts.Identifiers;
using Parallax.Identity;
using Parallax.Identity.Certificates;
using Parallax.Identity.Tokens;

namespace Parallax.UnitTests.Identity;

/// <summary>A swarm in memory: its key, its certificate, a clock that stands still.</summary>
internal sealed class IdentityFixture : IDisposable
{
    public PeerKey SwarmKey { get; } = PeerKey.Create();

    public FakeTimeProvider Clock { get; } = new(new DateTimeOffset(2031, 5, 6, 7, 8, 9, TimeSpan.Zero));

    public byte[] Authority => _authority ??= Create();

    private byte[]? _authority;

    public DateTimeOffset Now => Clock.GetUtcNow();

    public JoinToken Token(PeerKey? by = null, TimeSpan? life = null, MemberRoles roles = MemberRoles.Worker) =>
        JoinToken.Sign(by ?? SwarmKey, PeerId.OfPublicKey(SwarmKey.PublicKey.Span), roles, Now + (life ?? TimeSpan.FromDays(7)), TokenId.Create());

    public byte[] Issue(PeerKey key, MemberRoles roles)
    {
        using var authority = System.Security.Cryptography.X509Certificates.X509CertificateLoader.LoadCertificate(Authority);
        using var certificate = SwarmCertificates.Issue(SwarmKey, authority, key.PublicKey.Span, roles, Now);
        return certificate.RawData;
    }

    public SwarmCredentials Member(PeerKey key, MemberRoles roles = MemberRoles.Worker) => new(key, Issue(key, roles), Authority, [], Clock);

    public void Dispose() => SwarmKey.Dispose();

    private byte[] Create()
    {
        using var certificate = SwarmCertificates.CreateAuthority(SwarmKey, Now);
        return certificate.RawData;
    }
}
