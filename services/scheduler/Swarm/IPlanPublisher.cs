using Parallax.Contracts.V1;

namespace Parallax.Scheduler.Swarm;

/// <summary>Makes the plan known to the swarm: signs it, puts it into the overlay, announces it.</summary>
public interface IPlanPublisher
{
    /// <summary>
    /// Publishes the plan; called at each change and every third of <see cref="SchedulerOptions.PlanLease"/>, one call at a
    /// time. What it throws is logged, and the newest plan is published again a second later.
    /// </summary>
    Task PublishAsync(PlanRecord plan, CancellationToken cancellationToken);
}
