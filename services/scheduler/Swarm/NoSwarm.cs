using System.Collections.Immutable;
using Parallax.Contracts.V1;

namespace Parallax.Scheduler.Swarm;

/// <summary>A scheduler that has joined no swarm: it sees nobody, and its plan is had by asking it only.</summary>
internal sealed class NoSwarm : ISwarmObserver, IPlanPublisher
{
    private readonly Task _never = new TaskCompletionSource().Task;

    public ImmutableArray<ObservedWorker> Current => [];

    public Task Changed => _never;

    public Task PublishAsync(PlanRecord plan, CancellationToken cancellationToken) => Task.CompletedTask;
}
