namespace Parallax.Identity.Access;

/// <summary>Whether a call goes through.</summary>
internal enum AccessDecision
{
    /// <summary>It does.</summary>
    Allowed,

    /// <summary>The caller must first show who it is.</summary>
    Unauthenticated,

    /// <summary>The caller is known and may not.</summary>
    Denied,
}
