namespace Parallax.Identity.Access;

/// <summary>Who may make a call.</summary>
/// <param name="NeedsMember">False: anybody, with or without a certificate.</param>
/// <param name="AnyOf">One of these roles is needed; none: every member may.</param>
public readonly record struct AccessRule(bool NeedsMember, MemberRoles AnyOf)
{
    /// <summary>Anybody.</summary>
    public static AccessRule Anybody => new(false, MemberRoles.None);

    /// <summary>Every member.</summary>
    public static AccessRule Members => new(true, MemberRoles.None);

    /// <summary>Members with one of these roles.</summary>
    public static AccessRule Of(MemberRoles anyOf) => new(true, anyOf);
}
