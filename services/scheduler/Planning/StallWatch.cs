using System.Collections.Immutable;
using Parallax.Contracts.V1;
using Parallax.Placement.Records;

namespace Parallax.Scheduler.Planning;

/// <summary>
/// Workers that live and do not do what the plan says: they are set aside for a while, so that a model is not without layers
/// because of one of them. Pure; times are the process's uptime.
/// </summary>
internal sealed record StallWatch(ImmutableSortedDictionary<string, StallEntry> Entries)
{
    public static readonly StallWatch Empty = new(SchedulerState.Map<StallEntry>());

    /// <summary>Workers that get nothing now.</summary>
    public bool IsAside(WorkerView worker) => Entries.TryGetValue(worker.Id, out var entry) && entry.AsideUntil is not null && entry.Incarnation == worker.Incarnation;

    public StallWatch Observe(SchedulerState state, SwarmView swarm, TimeSpan now, SchedulerSettings settings)
    {
        var planned = state.Placed?.Plan.Assignments().Select(static assignment => assignment.Node).ToHashSet(StringComparer.Ordinal) ?? [];
        var entries = SchedulerState.Map<StallEntry>().ToBuilder();
        foreach (var (id, worker) in swarm.Workers)
        {
            var before = Entries.TryGetValue(id, out var known) && known.Incarnation == worker.Incarnation ? known : null;
            if (before?.AsideUntil is { } until)
            {
                if (now < until)
                {
                    entries[id] = before;
                }
            }
            else if (planned.Contains(id) && IsIdle(worker, state.Placed!))
            {
                var since = before?.Since ?? now;
                entries[id] = new StallEntry(worker.Incarnation, since, now - since >= settings.StallTime ? now + settings.StallPause : null);
            }
        }

        return new StallWatch(entries.ToImmutable());
    }

    /// <summary>When somebody will be set aside or come back; null: nobody.</summary>
    public TimeSpan? NextAt(SchedulerSettings settings) =>
        Entries.Count == 0 ? null : Entries.Values.Min(entry => entry.AsideUntil ?? entry.Since + settings.StallTime);

    // A worker that holds something may have to wait for its sessions to end before it can do as it is told; one that holds
    // nothing has no such reason.
    private static bool IsIdle(WorkerView worker, PlacedPlan placed) =>
        worker.Follows < placed.Version || (worker.Phase == WorkerPhase.Standby && worker.Shards.IsEmpty);
}

/// <summary>A worker that leaves undone what it was told.</summary>
/// <param name="Incarnation">Of the worker.</param>
/// <param name="Since">Since when.</param>
/// <param name="AsideUntil">Until when it gets nothing; null: it still has its chance.</param>
internal sealed record StallEntry(long Incarnation, TimeSpan Since, TimeSpan? AsideUntil);
