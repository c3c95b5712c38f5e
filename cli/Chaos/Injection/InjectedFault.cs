using Parallax.Cli.Chaos.Faults;

namespace Parallax.Cli.Chaos.Injection;

/// <summary>A fault that was injected.</summary>
/// <param name="Fault">As it was planned.</param>
/// <param name="At">When it happened, as a timestamp of the clock.</param>
/// <param name="Victim">Whom it hit: a worker's id, or a router's name.</param>
/// <param name="Place">The victim's place: head, middle, tail, spare (without sessions) or router.</param>
internal sealed record InjectedFault(Fault Fault, long At, string Victim, VictimRole Place)
{
    /// <summary>The second process, where the fault lies between two.</summary>
    public string? Other { get; init; }
}
