using Google.Protobuf;
using Parallax.Contracts.V1;
using Parallax.Identity;
using Parallax.Identity.Revocation;
using Parallax.Identity.Tokens;

namespace Parallax.UnitTests.Identity;

public sealed class RevocationSetTests : IDisposable
{
    private readonly IdentityFixture _swarm = new();

    public void Dispose() => _swarm.Dispose();

    [Fact]
    public void Read_SignedSet_NamesTheSame()
    {
        using var peer = PeerKey.Create();
        var token = TokenId.Create();

        var read = RevocationSet.Read(RevocationSet.Sign(_swarm.SwarmKey, 7, [peer.Id], [token]).Envelope.Span, _swarm.SwarmKey.PublicKey.Span);

        Assert.NotNull(read);
        Assert.Equal(7, read.Version);
        Assert.True(read.Contains(peer.Id) && read.Contains(token));
        Assert.False(read.Contains(_swarm.SwarmKey.Id) || read.Contains(TokenId.Create()));
    }

    [Fact]
    public void Read_ByteChangedAnywhere_IsNeverBelievedToSaySomethingElse()
    {
        using var peer = PeerKey.Create();
        var bytes = RevocationSet.Sign(_swarm.SwarmKey, 7, [peer.Id], []).Envelope.ToArray();
        for (var i = 0; i < bytes.Length; i++)
        {
            var damaged = bytes.ToArray();
            damaged[i] ^= 0x01;
            Assert.Null(RevocationSet.Read(damaged, _swarm.SwarmKey.PublicKey.Span));
        }

        using var other = PeerKey.Create();
        Assert.Null(RevocationSet.Read(bytes, other.PublicKey.Span));
        Assert.Null(RevocationSet.Read([], _swarm.SwarmKey.PublicKey.Span));
        Assert.Null(RevocationSet.Read(new byte[RevocationSet.MaxBytes + 1], _swarm.SwarmKey.PublicKey.Span));
    }

    [Fact]
    public void Read_SignedButMalformed_IsRefused()
    {
        var list = new RevocationList { Version = 1, Peers = { ByteString.CopyFrom(1, 2, 3) } }.ToByteString();
        var envelope = new SignedRevocations { List = list, Signature = ByteString.CopyFrom(_swarm.SwarmKey.Sign(SignedBytes.Revocations(list.Span))) };

        Assert.Null(RevocationSet.Read(envelope.ToByteArray(), _swarm.SwarmKey.PublicKey.Span));
    }

    [Fact]
    public void Sign_TheMostEntries_FitIntoARecordAndOneMoreIsRefused()
    {
        var most = Enumerable.Range(0, RevocationSet.MaxEntries).Select(i => new Contracts.Identifiers.PeerId([.. BitConverter.GetBytes(i), .. new byte[16]])).ToList();

        Assert.InRange(RevocationSet.Sign(_swarm.SwarmKey, 1, most, []).Envelope.Length, 1, RevocationSet.MaxBytes);
        Assert.Throws<IdentityException>(() => RevocationSet.Sign(_swarm.SwarmKey, 1, most, [TokenId.Create()]));
    }

    [Fact]
    public void ApplyRevocations_OnlyHigherVersionsOfThisSwarm_Replace()
    {
        using var key = PeerKey.Create();
        using var stranger = PeerKey.Create();
        using var credentials = _swarm.Member(key);
        var told = 0;
        credentials.RevocationsApplied += _ => told++;

        Assert.Equal(RevocationOutcome.Applied, credentials.ApplyRevocations(RevocationSet.Sign(_swarm.SwarmKey, 2, [stranger.Id], []).Envelope.Span));
        Assert.Equal(RevocationOutcome.NotNewer, credentials.ApplyRevocations(RevocationSet.Sign(_swarm.SwarmKey, 2, [], []).Envelope.Span));
        Assert.Equal(RevocationOutcome.NotNewer, credentials.ApplyRevocations(RevocationSet.Sign(_swarm.SwarmKey, 1, [], []).Envelope.Span));
        Assert.Equal(RevocationOutcome.Refused, credentials.ApplyRevocations(RevocationSet.Sign(stranger, 9, [], []).Envelope.Span));
        Assert.True(credentials.Revocations.Contains(stranger.Id));
        Assert.Equal(1, told);
    }
}
