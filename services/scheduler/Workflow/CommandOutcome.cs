using Parallax.Scheduler.Planning;

namespace Parallax.Scheduler.Workflow;

/// <summary>How a command ended.</summary>
/// <param name="State">The state with it.</param>
/// <param name="Refusal">Why it was refused; null when it was not.</param>
/// <param name="IsRepeat">Whether it had been carried out before.</param>
/// <param name="PlanChanged">Whether the plan is another now.</param>
internal sealed record CommandOutcome(SchedulerState State, Refusal? Refusal, bool IsRepeat, bool PlanChanged);
