using Parallax.Identity;

namespace Parallax.Audit.Retention;

/// <summary>Who retires, and signs for it.</summary>
/// <param name="Key">Signs; stays the caller's.</param>
/// <param name="Certificate">The swarm's certificate for it in DER; empty where there is none.</param>
/// <param name="Authority">The swarm's own certificate in DER; empty where there is none.</param>
public sealed record RetirementKey(PeerKey Key, ReadOnlyMemory<byte> Certificate, ReadOnlyMemory<byte> Authority);
