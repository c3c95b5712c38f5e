namespace Parallax.Cli.Chaos.Faults;

/// <summary>Whom a fault hits.</summary>
/// <param name="Role">As what.</param>
/// <param name="Id">The worker's id, where it is named.</param>
internal readonly record struct Victim(VictimRole Role, string Id = "")
{
    /// <inheritdoc/>
    public override string ToString() => Role == VictimRole.Named ? Id : Names.Of(Role);
}
