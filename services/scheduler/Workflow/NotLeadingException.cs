using Parallax.EventStore.Terms;
using Parallax.Runtime;

namespace Parallax.Scheduler.Workflow;

/// <summary>A command has come to a scheduler that does not lead.</summary>
internal sealed class NotLeadingException(TermHolder? leader) : ParallaxException(
    leader is null
        ? "This scheduler stands by, and nobody leads just now; try again in a few seconds."
        : $"This scheduler stands by; scheduler {leader.Id} leads (term {leader.Term}){(leader.Address.Length > 0 ? $": ask it at {leader.Address}" : "")}.")
{
    /// <summary>Who leads; null: nobody.</summary>
    public TermHolder? Leader { get; } = leader;
}
