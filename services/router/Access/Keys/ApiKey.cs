namespace Parallax.Router.Access.Keys;

/// <summary>A key as it is known: everything but its secret.</summary>
/// <param name="Id">Names it.</param>
/// <param name="Hash">Of its secret.</param>
/// <param name="Settings">What was chosen for it.</param>
/// <param name="CreatedBy">By whom.</param>
/// <param name="CreatedAt">When.</param>
internal sealed record ApiKey(string Id, string Hash, KeySettings Settings, string CreatedBy, DateTimeOffset CreatedAt)
{
    /// <summary>When it was put out of use; null while it was not.</summary>
    public DateTimeOffset? RevokedAt { get; init; }

    /// <summary>Whether its time is over.</summary>
    public bool HasExpired(DateTimeOffset now) => Settings.Expires <= now;
}
