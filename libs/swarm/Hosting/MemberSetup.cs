using Parallax.Identity;
using Parallax.Identity.Authority;
using Parallax.Swarm.Members;
using Parallax.Swarm.Telemetry;

namespace Parallax.Swarm.Hosting;

/// <summary>What makes a host a member of a swarm.</summary>
public sealed record MemberSetup
{
    /// <summary>Who it is. Stay the caller's.</summary>
    public required SwarmCredentials Credentials { get; init; }

    /// <summary>This run of the process: larger at each start.</summary>
    public required long Incarnation { get; init; }

    /// <summary>Where other members may be found; one that answers is enough. Empty: the first of its swarm.</summary>
    public IReadOnlyList<Uri> Bootstrap { get; init; } = [];

    /// <summary>Where others are to dial it, as the user says; empty: found out.</summary>
    public IReadOnlyList<Uri> Advertise { get; init; } = [];

    /// <summary>What it says of itself; null where it is no worker.</summary>
    public IMemberRecord? Record { get; init; }

    /// <summary>A bus for news; null for none. Stays the caller's.</summary>
    public ISwarmNews? News { get; init; }

    /// <summary>The swarm's key, where it is here. Stays the caller's.</summary>
    public SwarmAuthority? Authority { get; init; }

    /// <summary>Where certificate and revocations are kept; null: nowhere.</summary>
    public StateFolder? Folder { get; init; }
}
