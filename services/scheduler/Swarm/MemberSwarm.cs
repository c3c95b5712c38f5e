using System.Collections.Immutable;
using Parallax.Contracts.V1;
using Parallax.Swarm.Members;

namespace Parallax.Scheduler.Swarm;

/// <summary>The swarm of which the scheduler's process is a member.</summary>
internal sealed class MemberSwarm(SwarmMember member, SchedulerOptions options) : ISwarmObserver, IPlanPublisher
{
    private static readonly TimeSpan Lately = TimeSpan.FromSeconds(3);

    public ImmutableArray<ObservedWorker> Current
    {
        get
        {
            var (map, now) = (member.Map, member.Now);
            return
            [
                .. map.Workers.Values.Where(worker => worker.ExpiresAt > now).Select(worker => new ObservedWorker(
                    worker.Record,
                    worker.IsLost ? Freshness.Lost : worker.Id == member.Self || now - worker.HeardAt < Lately ? Freshness.Live : Freshness.Leased)),
            ];
        }
    }

    public Task Changed => member.Changed;

    public Task PublishAsync(PlanRecord plan, CancellationToken cancellationToken) => member.PublishPlanAsync(plan, options.PlanLease, cancellationToken);
}
