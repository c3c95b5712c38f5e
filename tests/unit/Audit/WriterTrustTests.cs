using Parallax.Audit.Verify;
using Parallax.Identity;
using Parallax.Identity.Authority;

namespace Parallax.UnitTests.Audit;

/// <summary>Whose certificates are believed.</summary>
public sealed class WriterTrustTests
{
    [Fact]
    public void Certificate_OfTheSwarm_IsBelieved_AndNoOther()
    {
        using var ours = new PrivateSwarm(TimeProvider.System);
        using var theirs = new PrivateSwarm(TimeProvider.System);
        var (member, stranger) = (ours.CreateMember(MemberRoles.Router), theirs.CreateMember(MemberRoles.Router));
        var (key, certificate, authority) = (member.Key.PublicKey, Text(member.Certificate), Text(member.AuthorityCertificate));
        var now = TimeProvider.System.GetUtcNow();

        Assert.Null(WriterTrust.Problem(key.Span, certificate, authority, member.Swarm, now));
        Assert.Null(WriterTrust.Problem(key.Span, null, null, null, now));
        Assert.Contains("shows no certificate", WriterTrust.Problem(key.Span, null, null, member.Swarm, now), StringComparison.Ordinal);
        Assert.Contains("is of the swarm", WriterTrust.Problem(stranger.Key.PublicKey.Span, Text(stranger.Certificate), Text(stranger.AuthorityCertificate), member.Swarm, now), StringComparison.Ordinal);
        Assert.Contains("not good", WriterTrust.Problem(stranger.Key.PublicKey.Span, Text(stranger.Certificate), authority, member.Swarm, now), StringComparison.Ordinal);
        Assert.Contains("another key", WriterTrust.Problem(stranger.Key.PublicKey.Span, certificate, authority, member.Swarm, now), StringComparison.Ordinal);
        Assert.Contains("valid from", WriterTrust.Problem(key.Span, certificate, authority, member.Swarm, now.AddDays(3)), StringComparison.Ordinal);
        Assert.Contains("cannot be read", WriterTrust.Problem(key.Span, "no base64", authority, member.Swarm, now), StringComparison.Ordinal);
    }

    [Fact]
    public void Key_MustBeTheOneThatTheWriterIsNamedAfter()
    {
        using var key = PeerKey.Create();
        var text = Convert.ToBase64String(key.PublicKey.Span);
        Assert.Equal(key.PublicKey.ToArray(), WriterTrust.KeyOf(key.Id.ToString(), text).ToArray());
        Assert.True(WriterTrust.KeyOf(new string('a', 40), text).IsEmpty);
        Assert.True(WriterTrust.KeyOf(key.Id.ToString(), "no base64").IsEmpty);
    }

    private static string Text(ReadOnlyMemory<byte> der) => Convert.ToBase64String(der.Span);
}
