using Parallax.Placement;

namespace Parallax.Scheduler.Planning;

/// <summary>All that a decision depends on beside state and observation.</summary>
/// <param name="Now">The time, for people.</param>
/// <param name="MayPlan">False while a scheduler that has just started may not have seen all workers yet.</param>
/// <param name="Stalls">Who gets nothing.</param>
/// <param name="Settings">Limits and preferences.</param>
/// <param name="Replan">Placement.</param>
internal sealed record PlanningContext(DateTimeOffset Now, bool MayPlan, StallWatch Stalls, SchedulerSettings Settings, Replan Replan)
{
    /// <summary>Whether layers may move for mere gain.</summary>
    public bool MayRebalance { get; init; } = true;
}
