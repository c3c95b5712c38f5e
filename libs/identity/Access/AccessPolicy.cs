namespace Parallax.Identity.Access;

/// <summary>Decides on calls. Pure.</summary>
internal static class AccessPolicy
{
    /// <param name="rule">The call's; null where there is none.</param>
    /// <param name="caller">The member in good standing that calls; null: nobody known.</param>
    public static AccessDecision Decide(AccessRule? rule, MemberIdentity? caller) => rule switch
    {
        { NeedsMember: false } => AccessDecision.Allowed,
        _ when caller is null => AccessDecision.Unauthenticated, // also where there is no rule: strangers learn nothing
        null => AccessDecision.Denied,
        { AnyOf: var roles } => roles == MemberRoles.None || (roles & caller.Roles) != 0 ? AccessDecision.Allowed : AccessDecision.Denied,
    };
}
