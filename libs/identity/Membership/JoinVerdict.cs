using Grpc.Core;
using Parallax.Contracts.Identifiers;
using Parallax.Identity.Tokens;

namespace Parallax.Identity.Membership;

/// <summary>What is decided about somebody who wants to join.</summary>
/// <param name="Token">The token of one who may; null for one who is refused.</param>
/// <param name="Peer">Who it is.</param>
/// <param name="Code">The refusal's code.</param>
/// <param name="Reason">Why, in sentences for people.</param>
internal sealed record JoinVerdict(JoinToken? Token, PeerId Peer, StatusCode Code, string Reason)
{
    public static JoinVerdict Refuse(StatusCode code, string reason) => new(null, default, code, reason);

    public static JoinVerdict Admit(JoinToken token, PeerId peer) => new(token, peer, StatusCode.OK, "");
}
