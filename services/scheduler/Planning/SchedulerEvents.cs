using System.Collections.Immutable;
using Parallax.Placement;

namespace Parallax.Scheduler.Planning;

/// <summary>What has happened to the plan. Fields are added and never renamed: events are read years later.</summary>
internal abstract record SchedulerEvent;

/// <summary>Something an operator asked for.</summary>
internal abstract record CommandEvent(CommandStamp Stamp) : SchedulerEvent;

/// <summary>Names a command, so that repeating it changes nothing.</summary>
/// <param name="Id">The caller's id for it.</param>
/// <param name="Digest">Of its contents: the same id with other contents is an error.</param>
internal sealed record CommandStamp(string Id, string Digest);

/// <summary>A scheduler has begun to lead; whoever led before finds its next append refused.</summary>
internal sealed record TermStarted(long Term, string Scheduler) : SchedulerEvent;

/// <summary>A model shall be served, or served with other parameters or weights than before.</summary>
internal sealed record ModelDeployed(CommandStamp Stamp, DeployedModel Model) : CommandEvent(Stamp)
{
    /// <summary>The model's pins from then on; null: as they were.</summary>
    public ImmutableArray<Assignment>? Pins { get; init; }
}

/// <summary>A model shall no longer be served.</summary>
internal sealed record ModelRetired(CommandStamp Stamp, string Model) : CommandEvent(Stamp);

/// <summary>A worker shall give up everything. Holds for this incarnation of it.</summary>
internal sealed record WorkerDrained(CommandStamp Stamp, string Worker, long Incarnation) : CommandEvent(Stamp);

/// <summary>A worker counts as gone, whatever it says. Holds for this incarnation of it.</summary>
internal sealed record WorkerRemoved(CommandStamp Stamp, string Worker, long Incarnation) : CommandEvent(Stamp);

/// <summary>A placement must stay as it is.</summary>
internal sealed record ShardPinned(CommandStamp Stamp, Assignment Pin) : CommandEvent(Stamp);

/// <summary>A placement may change again.</summary>
internal sealed record ShardUnpinned(CommandStamp Stamp, string Worker, string Model) : CommandEvent(Stamp);

/// <summary>An operator asked for the best plan, whatever it moves.</summary>
internal sealed record RebalanceAsked(CommandStamp Stamp) : CommandEvent(Stamp);

/// <summary>A drained or removed worker is back under a new incarnation.</summary>
internal sealed record WorkerReturned(string Worker, long Incarnation) : SchedulerEvent;

/// <summary>A drained worker has left.</summary>
internal sealed record WorkerLeft(string Worker) : SchedulerEvent;

/// <summary>The desired placement is another.</summary>
/// <param name="Plan">All of it.</param>
/// <param name="Moves">What it takes to get there.</param>
/// <param name="Incarnations">Of the workers that it gives something.</param>
/// <param name="DecidedAt">When, for people.</param>
/// <param name="Cause">What led to it, for people.</param>
internal sealed record PlanChanged(
    AllocationPlan Plan, ImmutableArray<Move> Moves, ImmutableSortedDictionary<string, long> Incarnations, DateTimeOffset DecidedAt, string Cause)
    : SchedulerEvent;

/// <summary>An event in the store that this program cannot read; it holds its place and means nothing.</summary>
internal sealed record UnreadableEvent(string Type, string Problem) : SchedulerEvent;
