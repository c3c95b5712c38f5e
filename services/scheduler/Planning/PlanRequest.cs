using System.Collections.Immutable;
using Parallax.Contracts.Identifiers;
using Parallax.Contracts.V1;
using Parallax.Placement;
using Parallax.Placement.Records;

namespace Parallax.Scheduler.Planning;

/// <summary>What placement is asked.</summary>
/// <param name="Models">What shall be served.</param>
/// <param name="Cluster">On which machines.</param>
/// <param name="Current">Who holds what, or is about to.</param>
/// <param name="Incarnations">Of all machines of the cluster.</param>
internal sealed record PlanRequest(
    ImmutableArray<ModelDemand> Models, ClusterSnapshot Cluster, ImmutableArray<Assignment> Current, ImmutableSortedDictionary<string, long> Incarnations)
{
    /// <param name="state">What was decided so far.</param>
    /// <param name="swarm">What was observed.</param>
    /// <param name="stalls">Who gets nothing.</param>
    public static PlanRequest Of(SchedulerState state, SwarmView swarm, StallWatch stalls)
    {
        var workers = swarm.Workers.Values
            .Where(worker => (worker.IsReady || worker.Phase == WorkerPhase.Draining) && !IsRemoved(state, worker) && !stalls.IsAside(worker))
            .ToImmutableArray();
        var staying = workers.Where(worker => !IsDraining(state, worker)).Select(static worker => worker.Id).ToHashSet(StringComparer.Ordinal);
        return new PlanRequest(
            [.. state.Models.Values.Select(model => model.ToDemand([.. state.Pins.Where(pin => pin.Model == model.Name && staying.Contains(pin.Node))]))],
            WorkerRecords.ToSnapshot(workers, worker => IsDraining(state, worker)),
            [.. workers.SelectMany(worker => state.Models.Values.Select(model => Held(state, worker, model)).OfType<Assignment>())],
            workers.ToImmutableSortedDictionary(static worker => worker.Id, static worker => worker.Incarnation, StringComparer.Ordinal));
    }

    public static bool IsRemoved(SchedulerState state, WorkerView worker) =>
        state.Removed.TryGetValue(worker.Id, out var incarnation) && worker.Incarnation <= incarnation;

    public static bool IsDraining(SchedulerState state, WorkerView worker) =>
        worker.Phase == WorkerPhase.Draining || (state.Draining.TryGetValue(worker.Id, out var incarnation) && worker.Incarnation <= incarnation);

    /// <summary>
    /// What counts as a worker's part of a model: what it was told and has not had the time to do, else what it loads, else
    /// what it serves. The first is what keeps an impatient loop from telling it something else each time.
    /// </summary>
    private static Assignment? Held(SchedulerState state, WorkerView worker, DeployedModel model)
    {
        var planned = state.Placed?.Plan.Assignments().FirstOrDefault(one => one.Node == worker.Id && one.Model == model.Name);
        var shards = worker.Shards.Where(shard => shard.Model == model.Class && shard.Range.End <= model.Shape.Layers.Length).ToList();
        if (planned is not null && (IsUnderWay(state.Placed!, worker) || shards.Any(shard => shard.Range == planned.Range)))
        {
            return planned;
        }

        var range = shards
            .OrderBy(static shard => shard.IsServing).ThenByDescending(static shard => shard.Range.Count).ThenBy(static shard => shard.Range.Start)
            .Select(static shard => (LayerRange?)shard.Range)
            .FirstOrDefault();
        return range is { } held ? new Assignment(worker.Id, model.Name, held) : null;
    }

    private static bool IsUnderWay(PlacedPlan placed, WorkerView worker) =>
        placed.Incarnations.TryGetValue(worker.Id, out var incarnation) && incarnation == worker.Incarnation
        && (worker.Follows < placed.Version || worker.Phase == WorkerPhase.Loading || worker.Shards.Any(static shard => !shard.IsServing));
}
