namespace Parallax.Contracts.Identifiers;

/// <summary>One generation travelling over one path of stages; drawn by the router at admission.</summary>
public readonly record struct SessionId(Guid Value)
{
    /// <summary>A fresh random id.</summary>
    public static SessionId New() => new(Guid.NewGuid());

    /// <inheritdoc/>
    public override string ToString() => Value.ToString("n");
}
