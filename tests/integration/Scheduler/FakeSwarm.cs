using System.Collections.Immutable;
using Parallax.Contracts.V1;
using Parallax.Scheduler.Swarm;

namespace Parallax.IntegrationTests.Scheduler;

/// <summary>A swarm that a test moves, and that keeps the plans it hears of.</summary>
internal sealed class FakeSwarm : ISwarmObserver, IPlanPublisher
{
    private volatile Holder _current = new([]);
    private TaskCompletionSource _changed = New();
    private int _failures;

    public ImmutableArray<ObservedWorker> Current => _current.Workers;

    public Task Changed => Volatile.Read(ref _changed).Task;

    /// <summary>Every plan that was published.</summary>
    public System.Collections.Concurrent.ConcurrentQueue<PlanRecord> Published { get; } = [];

    public void Be(params WorkerRecord[] records) => Be([.. records.Select(static record => new ObservedWorker(record, Freshness.Live))]);

    public void Be(ImmutableArray<ObservedWorker> workers)
    {
        _current = new Holder(workers);
        Interlocked.Exchange(ref _changed, New()).SetResult();
    }

    /// <summary>Lets the next publications fail.</summary>
    public void Fail(int times) => Interlocked.Exchange(ref _failures, times);

    public Task PublishAsync(PlanRecord plan, CancellationToken cancellationToken)
    {
        if (Interlocked.Decrement(ref _failures) >= 0)
        {
            throw new InvalidOperationException("the overlay is away");
        }

        Published.Enqueue(plan.Clone());
        return Task.CompletedTask;
    }

    private static TaskCompletionSource New() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    private sealed record Holder(ImmutableArray<ObservedWorker> Workers);
}
