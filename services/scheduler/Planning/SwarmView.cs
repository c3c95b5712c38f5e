using System.Collections.Immutable;
using Parallax.Placement.Records;

namespace Parallax.Scheduler.Planning;

/// <summary>The workers as they were last observed, by id; what could not be read is left out.</summary>
internal sealed record SwarmView(ImmutableSortedDictionary<string, WorkerView> Workers)
{
    public static readonly SwarmView Empty = new(SchedulerState.Map<WorkerView>());

    public static SwarmView Of(IEnumerable<WorkerView> workers) => new(workers
        .GroupBy(static worker => worker.Id, StringComparer.Ordinal)
        .ToImmutableSortedDictionary(static group => group.Key, static group => group.MaxBy(static worker => worker.Incarnation)!, StringComparer.Ordinal));
}

/// <summary>How one view differs from the next, as far as planning minds.</summary>
internal enum SwarmChange
{
    /// <summary>Only measurements moved.</summary>
    None,

    /// <summary>Somebody came, went or changed.</summary>
    Changed,

    /// <summary>A worker of a planned pipeline is gone or has started anew: requests may be without a path.</summary>
    PipelineLost,
}

/// <summary>Compares views.</summary>
internal static class SwarmChanges
{
    /// <summary>Whether somebody is there who was not, or not in this run.</summary>
    public static bool HasJoined(SwarmView before, SwarmView after) =>
        after.Workers.Any(now => !before.Workers.TryGetValue(now.Key, out var was) || was.Incarnation < now.Value.Incarnation);

    public static SwarmChange Between(SwarmView before, SwarmView after, SchedulerState state)
    {
        var serving = state.Placed?.Plan.Pipelines.SelectMany(static pipeline => pipeline.Stages).Select(static stage => stage.Node) ?? [];
        foreach (var id in serving)
        {
            if (before.Workers.TryGetValue(id, out var was) && (!after.Workers.TryGetValue(id, out var now) || now.Incarnation != was.Incarnation))
            {
                return SwarmChange.PipelineLost;
            }
        }

        return before.Workers.Count == after.Workers.Count
            && before.Workers.All(was => after.Workers.TryGetValue(was.Key, out var now) && was.Value.PlansLike(now))
            ? SwarmChange.None
            : SwarmChange.Changed;
    }
}
