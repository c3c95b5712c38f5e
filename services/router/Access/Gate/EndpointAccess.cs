using Parallax.Router.Access.Keys;

namespace Parallax.Router.Access.Gate;

/// <summary>Where an endpoint is served and which key it takes, as its metadata. One without is as <see cref="Admin"/>.</summary>
/// <param name="Surface">Where.</param>
/// <param name="Scope">What its key must be good for; none: it needs no key.</param>
internal sealed record EndpointAccess(Surface Surface, KeyScope Scope)
{
    /// <summary>For everybody: what machines ask to know whether the router serves.</summary>
    public static EndpointAccess Health { get; } = new(Surface.Anywhere, KeyScope.None);

    /// <summary>The models.</summary>
    public static EndpointAccess Chat { get; } = new(Surface.Api, KeyScope.Chat);

    /// <summary>Figures for those who run the router.</summary>
    public static EndpointAccess Metrics { get; } = new(Surface.Admin, KeyScope.None);

    /// <summary>What was asked and answered.</summary>
    public static EndpointAccess Audit { get; } = new(Surface.Admin, KeyScope.Audit);

    /// <summary>Commands.</summary>
    public static EndpointAccess Admin { get; } = new(Surface.Admin, KeyScope.Admin);
}
