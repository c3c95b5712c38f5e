namespace Parallax.Identity.Statements;

/// <summary>A statement that is believed.</summary>
/// <param name="Signer">Who made it.</param>
/// <param name="SignedAt">When, by the signer's clock.</param>
/// <param name="Payload">What it says.</param>
public sealed record VerifiedStatement(MemberIdentity Signer, DateTimeOffset SignedAt, ReadOnlyMemory<byte> Payload);
