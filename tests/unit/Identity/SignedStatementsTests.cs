using Parallax.Identity;
using Parallax.Identity.Revocation;
using Parallax.Identity.Statements;

namespace Parallax.UnitTests.Identity;

public sealed class SignedStatementsTests : IDisposable
{
    private static readonly byte[] Payload = [1, 2, 3, 4];

    private readonly IdentityFixture _swarm = new();
    private readonly PeerKey _signer = PeerKey.Create();
    private readonly PeerKey _reader = PeerKey.Create();

    public void Dispose()
    {
        _signer.Dispose();
        _reader.Dispose();
        _swarm.Dispose();
    }

    [Fact]
    public void Read_BySchedulersKey_IsBelievedAlsoAfterItsCertificateExpired()
    {
        using var scheduler = _swarm.Member(_signer, MemberRoles.Scheduler);
        using var reader = _swarm.Member(_reader);
        var bytes = SignedStatements.Sign(scheduler, "plan", Payload, _swarm.Now);
        var signedAt = _swarm.Now;
        _swarm.Clock.Advance(TimeSpan.FromDays(3));

        var read = SignedStatements.Read(reader, "plan", MemberRoles.Scheduler, bytes, _swarm.Now, out var problem);

        Assert.Equal("", problem);
        Assert.Equal((_signer.Id, signedAt), (read!.Signer.Id, read.SignedAt));
        Assert.Equal(Payload, read.Payload.ToArray());
    }

    [Theory]
    [InlineData("purpose", "made for")]
    [InlineData("role", "worker and not scheduler")]
    [InlineData("future", "future")]
    [InlineData("late", "expired")]
    [InlineData("revoked", "revoked")]
    [InlineData("swarm", "not of this swarm")]
    [InlineData("garbage", "no statement")]
    [InlineData("long", "above the bound")]
    public void Read_WhatIsWrong_IsSaid(string kind, string said)
    {
        using var other = new IdentityFixture();
        using var scheduler = (kind == "swarm" ? other : _swarm).Member(_signer, kind == "role" ? MemberRoles.Worker : MemberRoles.Scheduler);
        using var reader = _swarm.Member(_reader);
        var at = _swarm.Now + (kind switch { "future" => TimeSpan.FromHours(1), "late" => TimeSpan.FromHours(25), _ => TimeSpan.Zero });
        var bytes = SignedStatements.Sign(scheduler, kind == "purpose" ? "other" : "plan", Payload, at);
        bytes = kind switch { "garbage" => [0xff, 0xff, 0xff], "long" => new byte[SignedStatements.MaxBytes + 1], _ => bytes };
        if (kind == "revoked")
        {
            reader.ApplyRevocations(RevocationSet.Sign(_swarm.SwarmKey, 1, [_signer.Id], []).Envelope.Span);
        }

        var now = kind == "late" ? at : _swarm.Now;
        Assert.Null(SignedStatements.Read(reader, "plan", MemberRoles.Scheduler, bytes, now, out var problem));
        Assert.Contains(said, problem, StringComparison.Ordinal);
    }

    [Fact]
    public void Read_ByteChangedAnywhere_IsNeverBelieved()
    {
        using var scheduler = _swarm.Member(_signer, MemberRoles.Scheduler);
        using var reader = _swarm.Member(_reader);
        var bytes = SignedStatements.Sign(scheduler, "plan", Payload, _swarm.Now);
        for (var i = 0; i < bytes.Length; i++)
        {
            var damaged = bytes.ToArray();
            damaged[i] ^= 0x01;
            Assert.Null(SignedStatements.Read(reader, "plan", MemberRoles.Scheduler, damaged, _swarm.Now, out _));
        }
    }
}
