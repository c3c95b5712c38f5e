using Parallax.EventStore.Terms;
using Parallax.Scheduler.Planning;

namespace Parallax.Scheduler.Workflow;

/// <summary>What a scheduler knows at one instant; replaced as a whole by its loop.</summary>
/// <param name="IsLeading">Whether it carries out commands.</param>
/// <param name="Leader">Who leads; null: nobody, or not known yet.</param>
/// <param name="State">All that was decided.</param>
/// <param name="Swarm">The workers as last observed.</param>
/// <param name="Stalls">Who gets nothing.</param>
internal sealed record SchedulerStatus(bool IsLeading, TermHolder? Leader, SchedulerState State, SwarmView Swarm, StallWatch Stalls)
{
    public static readonly SchedulerStatus None = new(false, null, SchedulerState.Empty, SwarmView.Empty, StallWatch.Empty);
}
