using System.Globalization;
using Grpc.Core;
using Parallax.Contracts.Identifiers;
using Parallax.Contracts.V1;
using Parallax.Identity.Certificates;
using Parallax.Identity.Revocation;
using Parallax.Identity.Tokens;

namespace Parallax.Identity.Membership;

/// <summary>Whether somebody may join. Pure.</summary>
internal static class JoinPolicy
{
    private const int MaxKeyBytes = 256;

    /// <param name="request">From anywhere.</param>
    /// <param name="swarmPublicKey">The swarm's key.</param>
    /// <param name="revocations">Who is out.</param>
    /// <param name="now">The time.</param>
    public static JoinVerdict Decide(JoinRequest request, ReadOnlySpan<byte> swarmPublicKey, RevocationSet revocations, DateTimeOffset now)
    {
        if (string.IsNullOrWhiteSpace(request.Token))
        {
            return JoinVerdict.Refuse(StatusCode.InvalidArgument, "Joining takes a token: 'parallax token create' on the machine that founded the swarm makes one.");
        }

        JoinToken token;
        try
        {
            token = JoinToken.Parse(request.Token);
        }
        catch (JoinTokenException e)
        {
            return JoinVerdict.Refuse(StatusCode.InvalidArgument, e.Message);
        }

        if (token.Swarm != PeerId.OfPublicKey(swarmPublicKey))
        {
            return JoinVerdict.Refuse(StatusCode.Unauthenticated, $"The token is for swarm {token.Swarm.Abbreviated}, and this is {PeerId.OfPublicKey(swarmPublicKey).Abbreviated}: check the address.");
        }

        if (!token.IsSignedBy(swarmPublicKey))
        {
            return JoinVerdict.Refuse(StatusCode.Unauthenticated, "The token was not signed by the swarm's key.");
        }

        if (revocations.Contains(token.Id))
        {
            return JoinVerdict.Refuse(StatusCode.Unauthenticated, $"Token {token.Id} is revoked: ask for another one.");
        }

        if (now >= token.Expires)
        {
            return JoinVerdict.Refuse(StatusCode.Unauthenticated, string.Create(
                CultureInfo.InvariantCulture, $"Token {token.Id} expired at {token.Expires:u}: ask for another one."));
        }

        var key = request.PublicKey.Span;
        if (key.Length > MaxKeyBytes || !SwarmCertificates.IsPeerKey(key) || !PeerKey.Verify(key, SignedBytes.Join(request.Token), request.Proof.Span))
        {
            return JoinVerdict.Refuse(StatusCode.Unauthenticated, "The caller does not show that it has the key that it wants to join with.");
        }

        var peer = PeerId.OfPublicKey(key);
        return revocations.Contains(peer)
            ? JoinVerdict.Refuse(StatusCode.PermissionDenied, $"Peer {peer} is revoked.")
            : JoinVerdict.Admit(token, peer);
    }
}
