namespace Parallax.Placement.Members;

/// <summary>What an event came to.</summary>
/// <param name="Next">The membership from now on.</param>
/// <param name="IsNews">Whether placement has to be looked at: somebody came, went, or holds or can do something else.</param>
/// <param name="Refused">Why the event itself was not taken; null where it was.</param>
public sealed record MembershipChange(Membership Next, bool IsNews, string? Refused);
