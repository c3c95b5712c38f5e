using System.Collections.Immutable;
using Parallax.Contracts.Identifiers;
using Parallax.Contracts.V1;
using Parallax.Placement.Records;

namespace Parallax.Placement;

/// <summary>What a worker without a scheduler should do now.</summary>
public enum SelfAction
{
    /// <summary>Nothing, until a record changes.</summary>
    Nothing,

    /// <summary>Nothing, until <see cref="SelfStep.Wait"/> has passed.</summary>
    Wait,

    /// <summary>Publish the range as its intent.</summary>
    Publish,

    /// <summary>Publish its record without the intent: others have the range.</summary>
    Withdraw,

    /// <summary>Load the range; the intent goes with the record that says so.</summary>
    Take,
}

/// <summary>One step of a worker that places itself.</summary>
/// <param name="Action">What to do.</param>
/// <param name="Range">Of <see cref="SelfAction.Publish"/> and <see cref="SelfAction.Take"/>.</param>
/// <param name="Wait">Of <see cref="SelfAction.Wait"/>.</param>
/// <param name="Reason">Why, for the log.</param>
public sealed record SelfStep(SelfAction Action, ClaimedRange? Range, TimeSpan Wait, string Reason);

/// <summary>What a worker knows when it places itself.</summary>
/// <param name="Self">Its id.</param>
/// <param name="Workers">All workers that live, itself included.</param>
/// <param name="Models">Models that the swarm shall serve and whose files it can have.</param>
/// <param name="PlanExpiredFor">How long ago the last plan expired; null while a scheduler lives.</param>
/// <param name="Jitter">How long it waits after that: drawn once, so that not all begin at once.</param>
/// <param name="IntentAge">How long ago it published the intent of its own record; null: it has none.</param>
/// <param name="SettleTime">How long an intent stands before it counts: longer than a record takes to be seen.</param>
public sealed record SelfPlacementInput(
    PeerId Self,
    ImmutableArray<WorkerView> Workers,
    ImmutableArray<ModelDemand> Models,
    TimeSpan? PlanExpiredFor,
    TimeSpan Jitter,
    TimeSpan? IntentAge,
    TimeSpan SettleTime);

/// <summary>
/// Placement without a scheduler: each worker computes the whole plan by the same pure function and takes its own part of it.
/// Pure.
/// </summary>
/// <remarks>
/// Publish an intent, let it be seen, read again; the lowest id keeps its range. To a worker, the intents of lower ids are as
/// good as served and those of higher ids are nothing. So the lowest id's intent always stands, the next one's stands
/// beside it, and so on: however the workers' views differed at first, they agree once the records have arrived. Whoever
/// serves already moves only while some model has no full chain of layers; nobody tells another what to do.
/// </remarks>
public static class SelfPlacement
{
    /// <summary>What to do now.</summary>
    public static SelfStep Decide(SelfPlacementInput input, AllocationOptions options, Replan replan)
    {
        ArgumentNullException.ThrowIfNull(input);
        ArgumentNullException.ThrowIfNull(replan);
        var self = input.Self.ToString();
        var own = input.Workers.FirstOrDefault(worker => worker.Id == self);
        var intent = own?.Intent;
        if (input.PlanExpiredFor is not { } expired)
        {
            return intent is null ? Nothing("a scheduler lives") : Withdraw("a scheduler lives");
        }

        if (expired < input.Jitter)
        {
            return Wait(input.Jitter - expired, "the plan has only just expired");
        }

        if (own is null || !own.IsReady)
        {
            return Nothing("this worker is not ready");
        }

        if (own.Shards.Any(static shard => !shard.IsServing))
        {
            return intent is null ? Nothing("this worker loads") : Withdraw("this worker loads");
        }

        if (intent is not null && input.IntentAge is { } age && age < input.SettleTime)
        {
            return Wait(input.SettleTime - age, "the intent may not have been seen by all yet");
        }

        var current = Current(input, self);
        if (own.Shards.Length > 0 && input.Models.All(model => IsCovered(model.Shape, current)))
        {
            return intent is null ? Nothing("all layers are served") : Withdraw("all layers are served");
        }

        var wanted = Wanted(input, self, current, options, replan);
        if (wanted is null)
        {
            return intent is null ? Nothing("others serve all that can be served") : Withdraw("others have the range");
        }

        return wanted == intent
            ? new SelfStep(SelfAction.Take, wanted, TimeSpan.Zero, "nobody with a lower id wants it")
            : new SelfStep(SelfAction.Publish, wanted, TimeSpan.Zero, intent is null ? "the plan gives it to this worker" : "others have the range that was claimed");
    }

    private static SelfStep Nothing(string reason) => new(SelfAction.Nothing, null, TimeSpan.Zero, reason);

    private static SelfStep Withdraw(string reason) => new(SelfAction.Withdraw, null, TimeSpan.Zero, reason);

    private static SelfStep Wait(TimeSpan time, string reason) => new(SelfAction.Wait, null, time, reason);

    /// <summary>What is served or loaded, and what lower ids are about to take.</summary>
    private static ImmutableArray<Assignment> Current(SelfPlacementInput input, string self)
    {
        var current = ImmutableArray.CreateBuilder<Assignment>();
        foreach (var worker in input.Workers)
        {
            foreach (var shape in input.Models.Select(static model => model.Shape))
            {
                var claimed = worker.Intent is { } intent && string.CompareOrdinal(worker.Id, self) < 0
                    && intent.Model == shape.Name && intent.WeightsHash == shape.WeightsHash && intent.Range.End <= shape.Layers.Length
                    ? intent.Range
                    : (LayerRange?)null;
                var held = worker.Shards
                    .Where(shard => shard.Model.Name == shape.Name && shard.Model.WeightsHash == shape.WeightsHash && shard.Range.End <= shape.Layers.Length)
                    .OrderBy(static shard => shard.IsServing).ThenByDescending(static shard => shard.Range.Count).ThenBy(static shard => shard.Range.Start)
                    .Select(static shard => (LayerRange?)shard.Range)
                    .FirstOrDefault();
                if ((claimed ?? held) is { } range)
                {
                    current.Add(new Assignment(worker.Id, shape.Name, range));
                }
            }
        }

        return current.ToImmutable();
    }

    private static bool IsCovered(ModelShape shape, IEnumerable<Assignment> current)
    {
        // A chain: ranges that follow one another, as a path needs them.
        var reached = new HashSet<int> { 0 };
        foreach (var range in current.Where(one => one.Model == shape.Name).Select(static one => one.Range).OrderBy(static range => range.Start))
        {
            if (reached.Contains(range.Start))
            {
                reached.Add(range.End);
            }
        }

        return reached.Contains(shape.Layers.Length);
    }

    private static ClaimedRange? Wanted(
        SelfPlacementInput input, string self, ImmutableArray<Assignment> current, AllocationOptions options, Replan replan)
    {
        var cluster = WorkerRecords.ToSnapshot(
            input.Workers.Where(static worker => worker.IsReady || worker.Phase == WorkerPhase.Draining), static worker => worker.Phase == WorkerPhase.Draining);

        // First as if whoever serves stays: workers whose views differ for a moment then do not exchange their ranges. Only
        // where that covers no model does anybody move.
        var kept = Kept(input, current);
        var plan = replan([.. input.Models.Select(model => model with { Pins = [.. kept.Where(one => one.Model == model.Shape.Name)] })], cluster, current, options).Plan;
        if (!input.Models.All(model => IsCovered(model.Shape, plan.Assignments())))
        {
            plan = replan(input.Models, cluster, current, options).Plan;
        }

        var mine = plan.Assignments().Where(assignment => assignment.Node == self).OrderBy(static one => one.Model, StringComparer.Ordinal);
        foreach (var assignment in mine)
        {
            if (!current.Any(one => one == assignment))
            {
                var hash = input.Models.First(model => model.Shape.Name == assignment.Model).Shape.WeightsHash;
                return new ClaimedRange(assignment.Model, hash, assignment.Range);
            }
        }

        return null;
    }

    /// <summary>Of what is held or claimed: each range's first holder, by id. Other holders of it are free to help elsewhere.</summary>
    private static IEnumerable<Assignment> Kept(SelfPlacementInput input, ImmutableArray<Assignment> current)
    {
        var leaving = input.Workers.Where(static worker => worker.Phase == WorkerPhase.Draining).Select(static worker => worker.Id).ToHashSet(StringComparer.Ordinal);
        return current.Where(one => !leaving.Contains(one.Node))
            .OrderBy(static one => one.Node, StringComparer.Ordinal)
            .DistinctBy(static one => (one.Model, one.Range));
    }
}
