using Parallax.Identity.Authority;

namespace Parallax.Identity.Membership;

/// <summary>How a member answers who wants to join or to renew.</summary>
public sealed class MembershipOptions
{
    /// <summary>The swarm's key, where this member holds it; null: it can only say who does.</summary>
    public SwarmAuthority? Authority { get; init; }

    /// <summary>Where a member with the swarm's key is dialled, as far as this one knows.</summary>
    public Func<Uri?> IssuerAddress { get; init; } = static () => null;

    /// <summary>Refused attempts to join that one address may make within <see cref="AttemptWindow"/>; then it must wait.</summary>
    public int RefusedAttempts { get; init; } = 10;

    /// <summary>See <see cref="RefusedAttempts"/>.</summary>
    public TimeSpan AttemptWindow { get; init; } = TimeSpan.FromMinutes(1);
}
