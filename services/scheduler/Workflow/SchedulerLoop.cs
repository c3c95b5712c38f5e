using System.Collections.Immutable;
using System.Threading.Channels;
using Parallax.EventStore;
using Parallax.EventStore.Terms;
using Parallax.Placement;
using Parallax.Scheduler.Observability;
using Parallax.Scheduler.Planning;

namespace Parallax.Scheduler.Workflow;

/// <summary>
/// The scheduler's one loop: stands by until it gets the term; then takes commands and observations in order, decides, appends,
/// and has the plan announced; stands by again when it loses the term. Nothing else writes.
/// </summary>
internal sealed partial class SchedulerLoop : BackgroundService
{
    /// <summary>The stream of the term's lease.</summary>
    public const string TermStream = "scheduler/term";

    /// <summary>Observations are at least so far apart: a large swarm's telemetry must not keep the loop from commands.</summary>
    private static readonly TimeSpan ObservationPause = TimeSpan.FromMilliseconds(50);

    private static readonly TimeSpan StoreRetryTime = TimeSpan.FromSeconds(1);

    private readonly PlanStream _stream;
    private readonly TermLease _lease;
    private readonly SwarmWatch _watch;
    private readonly PlanAnnouncer _announcer;
    private readonly SchedulerOptions _options;
    private readonly SchedulerSettings _settings;
    private readonly SchedulerAddress _address;
    private readonly IHostApplicationLifetime _lifetime;
    private readonly Replan _replan;
    private readonly TimeProvider _clock;
    private readonly SchedulerInstruments _instruments;
    private readonly ILogger _logger;
    private readonly Channel<WaitingCommand> _commands;
    private volatile SchedulerStatus _status = SchedulerStatus.None;
    private volatile string? _problem = "It has not heard from its event store yet.";

    public SchedulerLoop(
        IEventStore store,
        PlanStream stream,
        SwarmWatch watch,
        PlanAnnouncer announcer,
        SchedulerOptions options,
        SchedulerSettings settings,
        SchedulerAddress address,
        IHostApplicationLifetime lifetime,
        Replan replan,
        TimeProvider clock,
        SchedulerInstruments instruments,
        ILogger<SchedulerLoop> logger)
    {
        _stream = stream;
        _lease = new TermLease(store, TermStream, options.Term, clock);
        _watch = watch;
        _announcer = announcer;
        _options = options;
        _settings = settings;
        _address = address;
        _lifetime = lifetime;
        _replan = replan;
        _clock = clock;
        _instruments = instruments;
        _logger = logger;
        _commands = Channel.CreateBounded<WaitingCommand>(new BoundedChannelOptions(options.MaxWaitingCommands));
    }

    /// <summary>What the scheduler knows now. Thread-safe.</summary>
    public SchedulerStatus Status => _status;

    /// <summary>Why it neither leads nor stands by: what its event store said last; null when it does. Thread-safe.</summary>
    public string? Problem => _problem;

    /// <summary>What decisions depend on now. Thread-safe.</summary>
    public PlanningContext ContextOf(SchedulerStatus status) =>
        new(_clock.GetUtcNow(), MayPlan: true, status.Stalls, _settings, _replan);

    /// <summary>Has a command carried out. Thread-safe.</summary>
    /// <exception cref="NotLeadingException">Another scheduler leads, or none.</exception>
    /// <exception cref="EventStoreException">The outcome is unknown; the command can be repeated under its id.</exception>
    /// <exception cref="DecisionFailedException">An error of the program; nothing was decided.</exception>
    public async Task<CommandOutcome> ExecuteAsync(PlanCommand command, CancellationToken cancellationToken)
    {
        if (!_status.IsLeading)
        {
            throw new NotLeadingException(_status.Leader);
        }

        var waiting = new WaitingCommand(command, new TaskCompletionSource<CommandOutcome>(TaskCreationOptions.RunContinuationsAsynchronously));
        if (!_commands.Writer.TryWrite(waiting))
        {
            return new CommandOutcome(
                _status.State, new Refusal(RefusalKind.TooMany, $"{_options.MaxWaitingCommands} commands wait already; try again in a moment."), false, false);
        }

        if (!_status.IsLeading)
        {
            RefuseWaiting(); // the term ended in between, and with it whoever would have read the command
        }

        return await waiting.Outcome.Task.WaitAsync(cancellationToken);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            await ListensAsync(stoppingToken); // who leads tells where
            while (true)
            {
                try
                {
                    await using var term = await StandByAsync(stoppingToken);
                    await LeadAsync(term, stoppingToken);
                }
                catch (EventStoreException problem)
                {
                    _problem = problem.Message;
                    LogStoreFailed(problem.Message);
                    await Task.Delay(StoreRetryTime, _clock, stoppingToken);
                }
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // Stopped.
        }
    }

    private async Task ListensAsync(CancellationToken cancellationToken)
    {
        var started = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        using var registration = _lifetime.ApplicationStarted.Register(started.SetResult);
        await started.Task.WaitAsync(cancellationToken);
        while (_address.Current.Length == 0)
        {
            await Task.Delay(_options.Term.PollPeriod, _clock, cancellationToken); // a member of a swarm finds out only when it has joined
        }
    }

    private async Task<HeldTerm> StandByAsync(CancellationToken stop)
    {
        while (true)
        {
            var term = await _lease.TryTakeAsync(_options.Id, _address.Current, stop);
            await _stream.CatchUpAsync(stop);
            _problem = null;
            _watch.Observe(_stream.State);
            var leader = _lease.Holder;
            if (leader is not null && leader.Term != _status.Leader?.Term && term is null)
            {
                LogStandsBy(leader.Id, leader.Term);
            }

            _status = new SchedulerStatus(false, leader, _stream.State, _watch.Swarm, _watch.Stalls);
            if (term is not null)
            {
                return term;
            }

            await Task.Delay(_options.Term.PollPeriod, _clock, stop);
        }
    }

    private async Task LeadAsync(HeldTerm term, CancellationToken stop)
    {
        using var leading = CancellationTokenSource.CreateLinkedTokenSource(stop, term.Lost);
        Task? announcing = null;
        try
        {
            // From this event on, whatever an older leader still appends is refused.
            while (!await _stream.TryAppendAsync([new TermStarted(term.Term, _options.Id)], leading.Token))
            {
                await _stream.CatchUpAsync(leading.Token);
            }

            LogLeads(term.Term, _stream.State.Version);
            Publish(isLeading: true);
            announcing = _announcer.RunAsync(term, leading.Token);
            _watch.PlanAtOnce();
            await DecideAsync(term, leading.Token);
            LogLost(term.Term);
        }
        catch (OperationCanceledException) when (leading.IsCancellationRequested)
        {
            if (!stop.IsCancellationRequested)
            {
                LogLost(term.Term);
            }
        }
        finally
        {
            Publish(isLeading: false);
            RefuseWaiting();
            await leading.CancelAsync();
            if (announcing is not null)
            {
                await announcing;
            }
        }
    }

    /// <summary>Decides until the term is lost.</summary>
    private async Task DecideAsync(HeldTerm term, CancellationToken cancellationToken)
    {
        Task<bool>? command = null;
        while (term.IsHeld)
        {
            var changed = _watch.Changed;
            _watch.Observe(_stream.State);
            Publish(isLeading: true);
            if (_commands.Reader.TryRead(out var waiting))
            {
                if (!await CarryOutAsync(waiting, cancellationToken))
                {
                    return;
                }

                continue;
            }

            if (_watch.UntilDue(_stream.State) == TimeSpan.Zero)
            {
                if (!await PlanAsync(cancellationToken))
                {
                    return;
                }

                continue;
            }

            using var resting = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            command ??= _commands.Reader.WaitToReadAsync(cancellationToken).AsTask();
            var due = _watch.UntilDue(_stream.State);
            if (_watch.UntilStall() is { } stall && stall < due)
            {
                due = stall;
            }

            await Task.WhenAny(command, RestedAsync(changed, resting.Token), Task.Delay(due, _clock, resting.Token));
            await resting.CancelAsync();
            cancellationToken.ThrowIfCancellationRequested();
            command = command.IsCompleted ? null : command;
        }
    }

    private async Task RestedAsync(Task changed, CancellationToken cancellationToken) =>
        await Task.WhenAll(changed.WaitAsync(cancellationToken), Task.Delay(ObservationPause, _clock, cancellationToken));

    /// <returns>False when the term is lost.</returns>
    private async Task<bool> PlanAsync(CancellationToken cancellationToken)
    {
        ImmutableArray<SchedulerEvent> events;
        var cause = _watch.Timing.FirstChange is null ? "measurements were looked at" : "the swarm changed";
        try
        {
            events = Timed(() => Scheduling.Decide(_stream.State, _watch.Swarm, Context() with { MayRebalance = _watch.MayRebalance }, cause));
        }
        catch (Exception problem)
        {
            // An error of the program, met with these records. The plan stays, and the next change is planned for anew.
            _instruments.OnDecisionFailed();
            LogDecisionFailed(problem, cause);
            events = [];
        }

        var isForGain = _watch.MayRebalance && !_watch.Timing.HasJoined;
        _watch.OnPlanned();
        return events.IsEmpty || await AppendAsync(events, isForGain, cancellationToken);
    }

    /// <returns>False when the term is lost.</returns>
    private async Task<bool> CarryOutAsync(WaitingCommand waiting, CancellationToken cancellationToken)
    {
        try
        {
            var decision = Timed(() => Scheduling.Decide(_stream.State, waiting.Command, _watch.Swarm, Context()));
            if (!decision.Events.IsEmpty)
            {
                if (!await AppendAsync(decision.Events, isForGain: false, cancellationToken))
                {
                    waiting.Outcome.TrySetException(new NotLeadingException(null));
                    return false;
                }

                if (!_watch.MayPlan(_stream.State))
                {
                    _watch.PlanAtOnce();
                }
            }

            waiting.Outcome.TrySetResult(new CommandOutcome(
                _stream.State, decision.Refusal, decision.IsRepeat, decision.Events.Any(static happened => happened is PlanChanged)));
            return true;
        }
        catch (Exception problem) when (problem is EventStoreException or OperationCanceledException)
        {
            waiting.Outcome.TrySetException(problem is EventStoreException ? problem : new NotLeadingException(null));
            throw;
        }
        catch (Exception problem)
        {
            _instruments.OnDecisionFailed();
            LogDecisionFailed(problem, waiting.Command.GetType().Name);
            waiting.Outcome.TrySetException(new DecisionFailedException(
                "The command led to an error of the scheduler and was not carried out; its log says more.", problem));
            return true;
        }
    }

    private PlanningContext Context() => new(_clock.GetUtcNow(), _watch.MayPlan(_stream.State), _watch.Stalls, _settings, _replan);

    private async Task<bool> AppendAsync(ImmutableArray<SchedulerEvent> events, bool isForGain, CancellationToken cancellationToken)
    {
        if (!await _stream.TryAppendAsync(events, cancellationToken))
        {
            return false;
        }

        Publish(isLeading: true);
        if (events.OfType<PlanChanged>().LastOrDefault() is { } changed)
        {
            if (!changed.Moves.IsEmpty)
            {
                _watch.OnMoved(isForGain);
            }

            _instruments.OnPlanChanged();
            LogPlanned(_stream.State.Term, _stream.State.Version, changed.Cause, changed.Plan.Pipelines.Length, changed.Moves.Length, changed.Plan.Shortages.Length);
        }

        return true;
    }

    private void Publish(bool isLeading)
    {
        var before = _status;
        _status = new SchedulerStatus(isLeading, isLeading ? _lease.Holder : null, _stream.State, _watch.Swarm, _watch.Stalls);
        if (isLeading && (!before.IsLeading || before.State.Version != _stream.State.Version))
        {
            var plan = PlanRecords.Of(_stream.State);
            plan.SchedulerAddress = _address.Current;
            _announcer.Announce(plan);
        }
    }

    private T Timed<T>(Func<T> decide)
    {
        var startedAt = _clock.GetTimestamp();
        var result = decide();
        _instruments.OnDecided(_clock.GetElapsedTime(startedAt));
        return result;
    }

    private void RefuseWaiting()
    {
        while (_commands.Reader.TryRead(out var waiting))
        {
            waiting.Outcome.TrySetException(new NotLeadingException(null));
        }
    }

    private sealed record WaitingCommand(PlanCommand Command, TaskCompletionSource<CommandOutcome> Outcome);
}
