namespace Parallax.Identity.Authority;

/// <summary>Who joined with a token, the last time it did.</summary>
public sealed record JoinedMember
{
    /// <summary>Peer id.</summary>
    public required string Peer { get; init; }

    /// <summary>The token's id.</summary>
    public required string Token { get; init; }

    /// <summary>Roles in words.</summary>
    public required string Roles { get; init; }

    /// <summary>Where it called from.</summary>
    public required string Address { get; init; }

    /// <summary>When.</summary>
    public required DateTimeOffset At { get; init; }
}
