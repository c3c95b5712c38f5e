using Parallax.Contracts.V1;
using Parallax.EventStore.Terms;
using Parallax.Scheduler.Observability;
using Parallax.Scheduler.Swarm;

namespace Parallax.Scheduler.Workflow;

/// <summary>Publishes the newest plan when it changes and before its lease is over, so that a slow publication delays no decision.</summary>
internal sealed partial class PlanAnnouncer(
    IPlanPublisher publisher, SchedulerOptions options, TimeProvider clock, SchedulerInstruments instruments, ILogger<PlanAnnouncer> logger)
{
    private static readonly TimeSpan RetryTime = TimeSpan.FromSeconds(1);

    private readonly Lock _gate = new(); // guards the two below, which change together
    private PlanRecord? _latest;
    private TaskCompletionSource _changed = New();

    /// <summary>What is to be published from now on.</summary>
    public void Announce(PlanRecord plan)
    {
        TaskCompletionSource changed;
        lock (_gate)
        {
            (_latest, changed) = (plan, _changed);
            _changed = New();
        }

        changed.SetResult();
    }

    /// <summary>Publishes until cancelled, as long as the term is held.</summary>
    public async Task RunAsync(HeldTerm term, CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            Task changed;
            PlanRecord? plan;
            lock (_gate)
            {
                (changed, plan) = (_changed.Task, _latest);
            }

            var pause = options.PlanLease / 3;
            if (plan is not null && plan.Term == term.Term && term.IsHeld && !await TryPublishAsync(plan, stop))
            {
                pause = RetryTime;
            }

            using var waiting = CancellationTokenSource.CreateLinkedTokenSource(stop);
            await Task.WhenAny(changed, Task.Delay(pause, clock, waiting.Token));
            await waiting.CancelAsync();
        }
    }

    private static TaskCompletionSource New() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    private async Task<bool> TryPublishAsync(PlanRecord plan, CancellationToken stop)
    {
        using var patience = new CancellationTokenSource(options.PublishTimeout, clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(stop, patience.Token);
        try
        {
            await publisher.PublishAsync(plan, either.Token);
            return true;
        }
        catch (Exception) when (stop.IsCancellationRequested)
        {
            return true; // the next leader publishes
        }
        catch (Exception problem)
        {
            // Whatever the swarm's side fails with, the plan stands and must be published again.
            instruments.OnPublishFailed();
            LogFailed(plan.Term, plan.Version, problem.Message);
            return false;
        }
    }

    [LoggerMessage(30, LogLevel.Warning, "Plan {Term}.{Version} could not be published, trying on: {Problem}")]
    private partial void LogFailed(long term, long version, string problem);
}
