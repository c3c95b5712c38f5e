using System.Collections.Immutable;
using Parallax.Contracts.V1;
using Parallax.Placement;
using Parallax.Placement.Records;
using Parallax.Swarm.Members;
using Parallax.Worker.Gpu.Shards;
using NumericClass = Parallax.Contracts.V1.NumericClass;

namespace Parallax.Worker.Gpu.Swarm;

/// <summary>
/// What a worker does while no scheduler stands behind the plan: places itself by <see cref="SelfPlacement"/>, for the models
/// that the last plan named. Of one loop alone.
/// </summary>
/// <param name="record">Where intents are published.</param>
/// <param name="replan">The planner.</param>
/// <param name="jitter">How long it waits after the plan has expired: drawn once, so that not all workers begin at once.</param>
/// <param name="settle">How long an intent stands before it counts.</param>
internal sealed class SelfPlacing(SwarmRecord record, Replan replan, TimeSpan jitter, TimeSpan settle)
{
    /// <summary>How it plans: warm copies are a scheduler's to order. Without one, twenty workers would all fetch some at once.</summary>
    internal static readonly AllocationOptions Options = new() { WithReplicas = false };

    private TimeSpan _intentSince;
    private string _said = "";

    /// <summary>Why the last decision was made, for the log; empty: as before.</summary>
    public string News { get; private set; } = "";

    /// <summary>The next step; what is served is given up without a scheduler only while no chain of layers serves the model.</summary>
    public FollowStep Decide(SwarmMember member, ImmutableArray<OwnShard> own, TimeSpan now)
    {
        News = "";
        var map = member.Map;
        if (map.Plan is not { Models.Count: > 0 } plan)
        {
            return FollowStep.Nothing;
        }

        var models = plan.Models.Where(static model => ModelShapes.Problems(model.Shape).IsEmpty).ToList();
        var workers = map.Present(now)
            .Select(static worker => WorkerRecords.Read(worker.Record, out _))
            .OfType<WorkerView>()
            .ToImmutableArray();
        var step = SelfPlacement.Decide(
            new SelfPlacementInput(
                member.Self,
                workers,
                [.. models.Select(static model => PlannedModels.ToDemand(model, []))],
                map.HasLivePlan(now) ? null : now - map.PlanExpiresAt,
                jitter,
                record.Intent is null ? null : now - _intentSince,
                settle),
            Options,
            replan);
        News = step.Reason != _said && step.Action != SelfAction.Nothing ? step.Reason : "";
        _said = step.Reason;
        switch (step.Action)
        {
            case SelfAction.Publish when step.Range is { } range:
                _intentSince = now;
                record.Intent = new Intent
                {
                    Model = range.Model,
                    WeightsHash = range.WeightsHash,
                    LayerStart = range.Range.Start,
                    LayerEnd = range.Range.End,
                };
                return FollowStep.Nothing;
            case SelfAction.Withdraw:
                record.Intent = null;
                return FollowStep.Nothing;
            case SelfAction.Take when step.Range is { } range
                && models.FirstOrDefault(model => model.Shape.Name == range.Model && model.Shape.WeightsHash == range.WeightsHash) is { } model:
                var key = new ShardKey(range.Model, range.WeightsHash, range.Range, model.Residual == NumericClass.Types.Residual.F32, model.LinksQ8);
                return own.Any(shard => shard.Key == key && shard.Phase != ShardPhase.Draining) ? FollowStep.Nothing
                    : PlanFollowing.Draining(own, [key]) is [var draining] ? FollowStep.Nothing with { Keep = [draining.Id] }
                    : new FollowStep([key], Moved(own, key), []);
            default:
                return FollowStep.Nothing;
        }
    }

    /// <summary>What a worker that moves gives up: it may not have room for both, and no chain of layers needs it where it is.</summary>
    private static ImmutableArray<(string Shard, string Why)> Moved(ImmutableArray<OwnShard> own, ShardKey to) =>
        [.. own.Where(shard => shard.Phase == ShardPhase.Serving && shard.Key.Model == to.Model && shard.Key.WeightsHash == to.WeightsHash)
            .Select(shard => (shard.Id, $"layers {to.Range} are missing and no chain serves the model"))];
}
