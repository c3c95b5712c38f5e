using System.Collections.Immutable;
using Parallax.EventStore;
using Parallax.Scheduler.Observability;
using Parallax.Scheduler.Planning;

namespace Parallax.Scheduler.Workflow;

/// <summary>The scheduler's stream of events, and the state that they make. Owned by the scheduler's loop.</summary>
internal sealed partial class PlanStream(IEventStore store, SchedulerInstruments instruments, ILogger<PlanStream> logger)
{
    /// <summary>The stream's name.</summary>
    public const string Name = "scheduler/plan";

    public SchedulerState State { get; private set; } = SchedulerState.Empty;

    /// <summary>Reads what others have appended.</summary>
    /// <exception cref="EventStoreException">The store cannot be used.</exception>
    public async Task CatchUpAsync(CancellationToken cancellationToken)
    {
        await foreach (var stored in store.ReadAsync(Name, State.Version + 1, cancellationToken))
        {
            var happened = EventCodec.Decode(stored.Type, stored.Payload);
            if (happened is UnreadableEvent unreadable)
            {
                instruments.OnEventRejected();
                LogUnreadable(stored.Version, unreadable.Type, unreadable.Problem);
            }

            State = Evolution.Evolve(State, happened);
        }
    }

    /// <summary>Appends events if nobody else has appended since.</summary>
    /// <returns>False when somebody has: this scheduler leads no longer.</returns>
    /// <exception cref="EventStoreException">The store cannot be used; the events may be in it.</exception>
    public async Task<bool> TryAppendAsync(ImmutableArray<SchedulerEvent> events, CancellationToken cancellationToken)
    {
        if (await store.AppendAsync(Name, State.Version, [.. events.Select(EventCodec.Encode)], cancellationToken) is AppendResult.Conflict)
        {
            return false;
        }

        State = Evolution.Evolve(State, events);
        return true;
    }

    [LoggerMessage(25, LogLevel.Error, "Event {Version} of the plan, a {Type}, is left out: {Problem}")]
    private partial void LogUnreadable(long version, string type, string problem);
}
