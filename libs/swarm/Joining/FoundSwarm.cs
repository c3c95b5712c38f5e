using System.Net;
using Parallax.Identity;

namespace Parallax.Swarm.Joining;

/// <summary>How a process founds a swarm, or goes on with the one that its folder holds, and serves nothing else.</summary>
/// <param name="Listen">Where other members dial it.</param>
public sealed record FoundSwarm(IPEndPoint Listen)
{
    /// <summary>The state folder; null for the default.</summary>
    public string? State { get; init; }

    /// <summary>Where others are to dial it, best first; empty: found out.</summary>
    public IReadOnlyList<Uri> Advertise { get; init; } = [];

    /// <summary>Files that always hold a token that is good.</summary>
    public IReadOnlyList<TokenFile> Tokens { get; init; } = [];

    /// <summary>How long a token lives; the files get a new one when half of it is over.</summary>
    public TimeSpan TokenLife { get; init; } = TimeSpan.FromHours(24);
}

/// <summary>A file for a token, readable by its owner only.</summary>
/// <param name="Roles">What who joins with it may do.</param>
/// <param name="Path">Where; its folder exists.</param>
public sealed record TokenFile(MemberRoles Roles, string Path);
