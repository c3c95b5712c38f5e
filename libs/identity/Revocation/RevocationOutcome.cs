namespace Parallax.Identity.Revocation;

/// <summary>What became of revocations that came from elsewhere.</summary>
public enum RevocationOutcome
{
    /// <summary>They hold now.</summary>
    Applied,

    /// <summary>They are no newer than those that hold.</summary>
    NotNewer,

    /// <summary>The swarm's key did not sign them, or they are malformed.</summary>
    Refused,
}
