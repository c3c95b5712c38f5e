using Google.Protobuf;
using Grpc.Core;
using Parallax.Contracts.V1;
using Parallax.Identity;
using Parallax.Identity.Membership;
using Parallax.Identity.Revocation;

namespace Parallax.UnitTests.Identity;

public sealed class JoinPolicyTests : IDisposable
{
    private readonly IdentityFixture _swarm = new();
    private readonly PeerKey _key = PeerKey.Create();

    public void Dispose()
    {
        _key.Dispose();
        _swarm.Dispose();
    }

    [Fact]
    public void Decide_TokenOfTheSwarmAndProofOfTheKey_Admits()
    {
        var token = _swarm.Token();

        var verdict = Decide(Request(token.ToString()));

        Assert.Equal((StatusCode.OK, token.Id, _key.Id), (verdict.Code, verdict.Token?.Id, verdict.Peer));
    }

    [Theory]
    [InlineData("")]
    [InlineData("plx1_abc")]
    [InlineData("hello")]
    public void Decide_NoToken_IsInvalid(string text) => AssertRefused(StatusCode.InvalidArgument, "token", Decide(Request(text)));

    [Fact]
    public void Decide_TokenOfAnotherSwarm_IsRefused()
    {
        using var other = PeerKey.Create();

        AssertRefused(StatusCode.Unauthenticated, "is for swarm", Decide(Request(_swarm.Token(by: other).ToString())));
    }

    [Fact]
    public void Decide_ExpiredToken_IsRefusedFromItsSecondOn()
    {
        var token = _swarm.Token(life: TimeSpan.FromHours(1)).ToString();

        Assert.NotNull(JoinPolicy.Decide(Request(token), _swarm.SwarmKey.PublicKey.Span, RevocationSet.Empty, _swarm.Now.AddHours(1).AddSeconds(-1)).Token);
        AssertRefused(StatusCode.Unauthenticated, "expired", JoinPolicy.Decide(Request(token), _swarm.SwarmKey.PublicKey.Span, RevocationSet.Empty, _swarm.Now.AddHours(1)));
    }

    [Fact]
    public void Decide_RevokedTokenOrPeer_IsRefused()
    {
        var token = _swarm.Token();
        var tokenOut = RevocationSet.Sign(_swarm.SwarmKey, 1, [], [token.Id]);
        var peerOut = RevocationSet.Sign(_swarm.SwarmKey, 1, [_key.Id], []);

        AssertRefused(StatusCode.Unauthenticated, "revoked", Decide(Request(token.ToString()), tokenOut));
        AssertRefused(StatusCode.PermissionDenied, "revoked", Decide(Request(token.ToString()), peerOut));
    }

    [Fact]
    public void Decide_ProofOfAnotherKeyOrForAnotherToken_IsRefused()
    {
        using var other = PeerKey.Create();
        var request = Request(_swarm.Token().ToString());
        var stolen = Request(_swarm.Token().ToString());
        stolen.PublicKey = ByteString.CopyFrom(other.PublicKey.Span);
        var moved = Request(_swarm.Token().ToString());
        moved.Proof = request.Proof;

        AssertRefused(StatusCode.Unauthenticated, "key", Decide(stolen));
        AssertRefused(StatusCode.Unauthenticated, "key", Decide(moved));
    }

    private static void AssertRefused(StatusCode code, string part, JoinVerdict verdict)
    {
        Assert.Equal((code, null), (verdict.Code, verdict.Token));
        Assert.Contains(part, verdict.Reason, StringComparison.Ordinal);
    }

    private JoinVerdict Decide(JoinRequest request, RevocationSet? revocations = null) =>
        JoinPolicy.Decide(request, _swarm.SwarmKey.PublicKey.Span, revocations ?? RevocationSet.Empty, _swarm.Now);

    private JoinRequest Request(string token) => new()
    {
        Token = token,
        PublicKey = ByteString.CopyFrom(_key.PublicKey.Span),
        Proof = ByteString.CopyFrom(_key.Sign(SignedBytes.Join(token))),
    };
}
