namespace Parallax.Router.Access.Gate;

/// <summary>Marks connections to the administrators' address, as a feature: what a client writes into its headers cannot.</summary>
internal sealed class AdminConnection
{
    /// <summary>The mark.</summary>
    public static AdminConnection Mark { get; } = new();
}
