using System.Collections.Immutable;
using Parallax.Placement.Records;
using Parallax.Scheduler.Observability;
using Parallax.Scheduler.Planning;
using Parallax.Scheduler.Swarm;

namespace Parallax.Scheduler.Workflow;

/// <summary>
/// Looks at the swarm: reads records, says what is wrong with those that cannot be used, follows who stalls and when to plan.
/// Owned by the scheduler's loop.
/// </summary>
internal sealed partial class SwarmWatch(
    ISwarmObserver observer, SchedulerSettings settings, TimeProvider clock, SchedulerInstruments instruments, ILogger<SwarmWatch> logger)
{
    private readonly long _startedAt = clock.GetTimestamp();
    private ImmutableHashSet<(string Worker, string Problem)> _rejected = [];
    private RebalancePause _pause;
    private bool _hasSettled;

    public SwarmView Swarm { get; private set; } = SwarmView.Empty;

    public StallWatch Stalls { get; private set; } = StallWatch.Empty;

    public PlanTiming Timing { get; private set; }

    public TimeSpan Now => clock.GetElapsedTime(_startedAt);

    /// <summary>Completes at the next change; taken before one looks.</summary>
    public Task Changed => observer.Changed;

    /// <summary>Looks at the workers as they are now.</summary>
    public void Observe(SchedulerState state)
    {
        var now = Now;
        var views = new List<WorkerView>();
        var rejected = ImmutableHashSet.CreateBuilder<(string, string)>();
        foreach (var observed in observer.Current.Where(static one => one.Freshness != Freshness.Lost))
        {
            if (WorkerRecords.Read(observed.Record, out var problem) is { } view)
            {
                views.Add(view);
            }
            else
            {
                rejected.Add((Printable(observed.Record.WorkerId), problem!));
            }
        }

        foreach (var (worker, problem) in rejected.Except(_rejected))
        {
            instruments.OnRecordRejected();
            LogRejected(worker, problem);
        }

        _rejected = rejected.ToImmutable();
        var swarm = SwarmView.Of(views);
        Timing = Timing.With(SwarmChanges.Between(Swarm, swarm, state), now);
        if (SwarmChanges.HasJoined(Swarm, swarm))
        {
            Timing = Timing with { HasJoined = true };
            _pause = _pause.Joined();
        }

        Swarm = swarm;
        var stalls = Stalls.Observe(state, swarm, now, settings);
        foreach (var worker in swarm.Workers.Values.Where(worker => stalls.IsAside(worker) != Stalls.IsAside(worker)))
        {
            Timing = Timing.With(SwarmChange.Changed, now);
            if (stalls.IsAside(worker))
            {
                LogStalled(worker.Id, settings.StallTime.TotalSeconds, settings.StallPause.TotalSeconds);
            }
        }

        Stalls = stalls;
        _hasSettled |= now >= settings.SettleTime || (state.Placed?.Incarnations.Keys.All(swarm.Workers.ContainsKey) ?? false);
    }

    /// <summary>Whether the workers of the plan that was found have been seen, or had the time to be.</summary>
    public bool MayPlan(SchedulerState state) => _hasSettled || state.Placed is null;

    /// <summary>Whether layers may move for mere gain.</summary>
    public bool MayRebalance => Timing.HasJoined || _pause.IsOver(Now, settings);

    /// <summary>A plan has moved layers.</summary>
    public void OnMoved(bool isForGain) => _pause = _pause.Moved(Now, isForGain);

    /// <summary>Something has happened that must be planned for at once.</summary>
    public void PlanAtOnce() => Timing = Timing.Urgently(Now);

    /// <summary>The planning has been done.</summary>
    public void OnPlanned() => Timing = PlanTiming.Planned(Now);

    /// <summary>How long to wait for the next thing to do; zero: it is due.</summary>
    public TimeSpan UntilDue(SchedulerState state)
    {
        var due = Timing.DueAt(settings);
        if (!MayPlan(state) && due < settings.SettleTime)
        {
            due = settings.SettleTime;
        }

        var wait = due - Now;
        return wait < TimeSpan.Zero ? TimeSpan.Zero : wait;
    }

    /// <summary>How long until somebody may have stalled; null: nobody can.</summary>
    public TimeSpan? UntilStall()
    {
        var wait = Stalls.NextAt(settings) - Now;
        return wait < TimeSpan.Zero ? TimeSpan.Zero : wait;
    }

    private static string Printable(string id)
    {
        var text = id.Length > 64 ? id[..64] : id;
        return string.Concat(text.Select(static c => char.IsControl(c) ? '?' : c));
    }

    [LoggerMessage(20, LogLevel.Warning, "The record of worker {Worker} is rejected: {Problem}")]
    private partial void LogRejected(string worker, string problem);

    [LoggerMessage(21, LogLevel.Warning, "Worker {Worker} has not done for {Seconds} s what the plan says; it gets nothing for {Pause} s")]
    private partial void LogStalled(string worker, double seconds, double pause);
}
