using Parallax.Contracts.Identifiers;

namespace Parallax.Identity;

/// <summary>Who a member is, by a certificate that the swarm's key signed.</summary>
/// <param name="Id">The id of its key.</param>
/// <param name="PublicKey">SubjectPublicKeyInfo in DER.</param>
/// <param name="Roles">What it may do.</param>
/// <param name="NotBefore">The certificate is valid from here.</param>
/// <param name="NotAfter">To here.</param>
public sealed record MemberIdentity(
    PeerId Id, ReadOnlyMemory<byte> PublicKey, MemberRoles Roles, DateTimeOffset NotBefore, DateTimeOffset NotAfter);
