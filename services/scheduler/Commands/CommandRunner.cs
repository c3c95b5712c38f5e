using System.Collections.Immutable;
using Parallax.Contracts.Messages;
using Parallax.Contracts.V1;
using Parallax.EventStore;
using Parallax.Scheduler.Planning;
using Parallax.Scheduler.Swarm;
using Parallax.Scheduler.Workflow;

namespace Parallax.Scheduler.Commands;

/// <summary>
/// Carries commands out while this scheduler leads, in the order in which they came, and follows them to their end. All it knows is
/// in the event store: when it is lost, the next one that leads goes on, and the plan's memory of command ids keeps a command that
/// was half done from having its effect twice.
/// </summary>
internal sealed partial class CommandRunner(
    CommandStore commands, SchedulerLoop loop, ISwarmObserver observer, SchedulerOptions options, TimeProvider clock, CommandInstruments instruments, ILogger<CommandRunner> logger)
    : BackgroundService
{
    /// <summary>Commands that are followed at once; later ones wait in the index.</summary>
    private const int MostOpen = 256;

    private const int TrimStep = 256;

    private static readonly TimeSpan Period = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan StorePause = TimeSpan.FromSeconds(1);

    private readonly List<CommandState> _open = []; // in order
    private long _seen; // version of the index up to which it was read
    private long _trimmed; // version of the index below which it was trimmed
    private long _term; // in which it was read

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            while (true)
            {
                var submitted = commands.Submitted;
                try
                {
                    await RoundAsync(stoppingToken);
                    await Task.WhenAny(submitted, Task.Delay(Period, clock, stoppingToken));
                    stoppingToken.ThrowIfCancellationRequested();
                }
                catch (EventStoreException problem)
                {
                    LogStoreFailed(problem.Message);
                    await Task.Delay(StorePause, clock, stoppingToken);
                }
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // Stopped; what is open is in the store.
        }
    }

    private async Task RoundAsync(CancellationToken stop)
    {
        var status = loop.Status;
        if (!status.IsLeading)
        {
            Forget();
            return;
        }

        if (status.State.Term != _term)
        {
            Forget();
            _term = status.State.Term; // others may have gone on with the open ones since
        }

        await CatchUpAsync(stop);
        for (var i = 0; i < _open.Count && loop.Status.IsLeading; i++)
        {
            _open[i] = await AdvanceAsync(_open[i], stop);
        }

        _open.RemoveAll(static state => state.IsFinal);
    }

    private void Forget()
    {
        _open.Clear();
        _seen = 0;
    }

    private async Task CatchUpAsync(CancellationToken stop)
    {
        await foreach (var (version, id) in commands.ListedAsync(_seen + 1, stop))
        {
            if (_open.Count >= MostOpen)
            {
                return;
            }

            if (await commands.LoadAsync(id, stop) is { Submitted: not null, IsFinal: false } state)
            {
                _open.Add(state);
            }

            _seen = version;
        }

        // An open command must stay listed, or the next scheduler that leads would not find it.
        if (_open.Count == 0 && _seen - CommandStore.MostListed >= _trimmed + TrimStep)
        {
            _trimmed = _seen - CommandStore.MostListed;
            await commands.TrimAsync(_trimmed + 1, stop);
        }
    }

    /// <summary>Goes on with a command as far as that goes now.</summary>
    private async Task<CommandState> AdvanceAsync(CommandState state, CancellationToken stop)
    {
        while (!state.IsFinal)
        {
            var asked = state.Submitted!;
            var events = CommandRequests.Read(asked.Id, asked.Kind, asked.Request, out var problem) is { } read
                ? await DecideAsync(state, read, stop)
                : [new CommandRejected(problem!)]; // a newer program may have taken it for one
            if (events.IsEmpty)
            {
                break;
            }

            if (!await commands.TryAppendAsync(asked.Id, state, events, stop))
            {
                state = await commands.LoadAsync(asked.Id, stop);
                continue;
            }

            foreach (var happened in events)
            {
                state = CommandWorkflow.Evolve(state, happened, clock.GetUtcNow());
                instruments.OnStep(happened);
                LogStep(asked.Id, asked.Kind, happened.ToString());
            }
        }

        return state;
    }

    private async Task<ImmutableArray<WorkflowEvent>> DecideAsync(CommandState state, PlanCommand read, CancellationToken stop)
    {
        var status = loop.Status;
        var term = status.State.Term;
        ImmutableArray<WorkerRecord> records = [.. observer.Current.Where(static one => one.Freshness != Freshness.Lost).Select(static one => one.Record)];
        if (state.State == CommandStates.Applied)
        {
            var applied = Named(read, state.Subject, records);
            return CommandWorkflow.Observe(state, CommandObservation.Of(applied, status.State, status.Swarm, records), clock.GetUtcNow());
        }

        var command = CommandRequests.Resolve(read, records);
        var subject = CommandRequests.Subject(command);
        var planned = status.State.Commands.ById.TryGetValue(command.Stamp.Id, out var known) && known.Digest == command.Stamp.Digest ? known.Version : (long?)null;
        var taking = CommandWorkflow.Take(state, options.Id, term, planned, subject, clock.GetUtcNow());
        if (!taking.IsEmpty)
        {
            return taking;
        }

        try
        {
            var outcome = await loop.ExecuteAsync(command, stop);
            var version = outcome.State.Commands.ById.TryGetValue(command.Stamp.Id, out var done) ? done.Version : outcome.State.Version;
            return CommandWorkflow.CarriedOut(state, options.Id, outcome.State.Term, outcome.Refusal, version, subject);
        }
        catch (NotLeadingException)
        {
            return []; // whoever leads next goes on
        }
        catch (DecisionFailedException problem)
        {
            return [new CommandRejected(problem.Message)];
        }
    }

    /// <summary>The command with the worker that it was found to be about when it was applied, which may be gone by now.</summary>
    private static PlanCommand Named(PlanCommand read, string subject, IReadOnlyCollection<WorkerRecord> records) => read switch
    {
        DrainWorker drain => drain with { Worker = subject },
        RemoveWorker remove => remove with { Worker = subject },
        PinShard pin => pin with { Pin = pin.Pin with { Node = subject.Split(' ')[0] } },
        _ => CommandRequests.Resolve(read, records),
    };

    [LoggerMessage(83, LogLevel.Error, "Commands are not gone on with, because the event store cannot be used: {Problem}")]
    private partial void LogStoreFailed(string problem);

    [LoggerMessage(84, LogLevel.Information, "Command {Id}, {Kind}: {Event}")]
    private partial void LogStep(string id, string kind, string @event);
}
