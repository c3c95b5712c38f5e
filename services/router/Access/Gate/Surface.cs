namespace Parallax.Router.Access.Gate;

/// <summary>At which of a router's addresses an endpoint is served.</summary>
internal enum Surface
{
    /// <summary>At all.</summary>
    Anywhere,

    /// <summary>At the API's.</summary>
    Api,

    /// <summary>At the administrators'; where there is none, at the API's if that is loopback.</summary>
    Admin,
}
