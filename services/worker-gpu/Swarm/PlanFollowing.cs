using System.Collections.Immutable;
using Parallax.Contracts.Identifiers;
using Parallax.Contracts.V1;
using Parallax.Swarm.Map;
using Parallax.Worker.Gpu.Shards;

namespace Parallax.Worker.Gpu.Swarm;

/// <summary>A shard of this worker as the following of a plan sees it.</summary>
/// <param name="Id">Names it on its worker.</param>
/// <param name="Key">What it holds.</param>
/// <param name="Phase">Where it is in its life.</param>
/// <param name="Sessions">That use it.</param>
internal sealed record OwnShard(string Id, ShardKey Key, ShardPhase Phase, int Sessions);

/// <summary>Layers of a model in a class: what a plan asks for.</summary>
/// <param name="Model">The model's name.</param>
/// <param name="WeightsHash">Hex.</param>
/// <param name="Range">The layers.</param>
/// <param name="IsF32">Whether nothing is rounded between layers.</param>
/// <param name="IsQ8">Whether links carry 8-bit blocks.</param>
internal sealed record ShardKey(string Model, string WeightsHash, LayerRange Range, bool IsF32, bool IsQ8);

/// <summary>What a worker does next to come nearer to a plan.</summary>
/// <param name="Load">To load, in this order; what loads already is not named.</param>
/// <param name="Release">Ids of shards to drain and free now, with the reason.</param>
/// <param name="Held">Shards that the plan has no use for and that must stay for now, with the reason.</param>
internal sealed record FollowStep(ImmutableArray<ShardKey> Load, ImmutableArray<(string Shard, string Why)> Release, ImmutableArray<(string Shard, string Why)> Held)
{
    /// <summary>Ids of shards that drain and are wanted again: they serve on.</summary>
    public ImmutableArray<string> Keep { get; init; } = [];

    /// <summary>Nothing to do.</summary>
    public static FollowStep Nothing { get; } = new([], [], []);
}

/// <summary>
/// How a worker follows a plan: it loads what it is given beside what it has, and gives a range up only when a whole
/// pipeline of the plan serves without it, so that a model that was served stays served while layers move. Where there is
/// no room for both, it gives up what no chain of layers misses: else all would wait for layers that nobody has room for. Pure.
/// </summary>
internal static class PlanFollowing
{
    /// <summary>The next step.</summary>
    /// <param name="self">This worker.</param>
    /// <param name="own">Its shards.</param>
    /// <param name="plan">The plan; null when there is none, and then everything stays.</param>
    /// <param name="others">The other workers that are there.</param>
    /// <param name="isLeaving">Whether the worker wants to be rid of everything.</param>
    /// <param name="tooLarge">What could not be loaded beside what it has, for want of room; null: nothing.</param>
    public static FollowStep Decide(
        PeerId self, ImmutableArray<OwnShard> own, PlanRecord? plan, IReadOnlyCollection<MapWorker> others, bool isLeaving, IReadOnlySet<ShardKey>? tooLarge = null)
    {
        if (plan is null)
        {
            return FollowStep.Nothing;
        }

        var me = self.ToString();
        var models = plan.Models.Where(static model => model.Shape is not null).ToDictionary(static model => (model.Shape.Name, model.Shape.WeightsHash));
        ImmutableArray<ShardKey> wanted = isLeaving || plan.Drain.Contains(me)
            ? []
            : [.. plan.Shards.Where(shard => shard.WorkerId == me).OrderBy(static shard => shard.Pipeline < 0).ThenBy(static shard => shard.Pipeline)
                .Select(shard => KeyOf(shard, models)).OfType<ShardKey>().Distinct()];
        var load = wanted.Where(key => !own.Any(shard => shard.Key == key && shard.Phase != ShardPhase.Draining)).ToImmutableArray();
        var keep = Draining(own, load);
        load = load.RemoveAll(key => keep.Any(shard => shard.Key == key));
        var served = new Lazy<ILookup<(string Model, string Hash), int>>(() => CompletePipelines(me, [.. own.Where(shard => wanted.Contains(shard.Key))], plan, models, others));
        var release = ImmutableArray.CreateBuilder<(string, string)>();
        var held = ImmutableArray.CreateBuilder<(string, string)>();
        foreach (var shard in own.Where(shard => shard.Phase == ShardPhase.Serving && !wanted.Contains(shard.Key)))
        {
            var model = (shard.Key.Model, shard.Key.WeightsHash);
            if (!models.ContainsKey(model))
            {
                release.Add((shard.Id, $"the plan no longer has the model '{shard.Key.Model}'"));
            }
            else if (served.Value.Contains(model))
            {
                release.Add((shard.Id, $"pipeline {served.Value[model].Min()} of the plan serves the model"));
            }
            else if (load.FirstOrDefault(key => tooLarge?.Contains(key) == true) is { } kept && !IsMissed(shard.Key, own, plan, models[model].Shape.Layers.Count, others))
            {
                release.Add((shard.Id, $"there is no room for layers {kept.Range} beside it, and no chain of layers needs it"));
            }
            else
            {
                held.Add((shard.Id, $"no pipeline of the plan serves '{shard.Key.Model}' yet"));
            }
        }

        return new FollowStep(load, release.ToImmutable(), held.ToImmutable()) { Keep = [.. keep.Select(static shard => shard.Id)] };
    }

    /// <summary>Shards that drain and hold what is to be loaded, one for each.</summary>
    public static ImmutableArray<OwnShard> Draining(ImmutableArray<OwnShard> own, ImmutableArray<ShardKey> load) =>
        [.. own.Where(shard => shard.Phase == ShardPhase.Draining && load.Contains(shard.Key)).DistinctBy(static shard => shard.Key)];

    /// <summary>
    /// Whether the model is served now and would not be without this shard. Only those are relied on who will not give their
    /// layers up by the same reasoning: whoever holds what the plan gives it, and whoever leaves, which loads nothing.
    /// </summary>
    private static bool IsMissed(ShardKey key, ImmutableArray<OwnShard> own, PlanRecord plan, int layers, IReadOnlyCollection<MapWorker> others)
    {
        var all = others
            .SelectMany(static worker => worker.Record.Shards, static (worker, shard) => (worker.Record, Shard: shard))
            .Where(theirs => theirs.Shard.State == ShardState.Serving && theirs.Shard.Model is { } model
                && model.Name == key.Model && model.NumericClass?.WeightsHash == key.WeightsHash)
            .Select(theirs => (theirs.Record, Range: new LayerRange(theirs.Shard.Model.LayerStart, theirs.Shard.Model.LayerEnd)))
            .ToList();
        var lasting = all.Where(theirs => theirs.Record.Phase == WorkerPhase.Draining || plan.Shards.Any(shard =>
            shard.WorkerId == theirs.Record.WorkerId && shard.Model == key.Model && shard.WeightsHash == key.WeightsHash
            && shard.LayerStart == theirs.Range.Start && shard.LayerEnd == theirs.Range.End));
        var mine = own.Where(shard => shard.Phase == ShardPhase.Serving && shard.Key.Model == key.Model && shard.Key.WeightsHash == key.WeightsHash)
            .Select(static shard => shard.Key.Range);
        return IsChain([.. all.Select(static theirs => theirs.Range), .. mine], layers) && !IsChain([.. lasting.Select(static theirs => theirs.Range)], layers);
    }

    /// <summary>Whether ranges that fit together lead through all layers.</summary>
    private static bool IsChain(IReadOnlyCollection<LayerRange> ranges, int layers)
    {
        var reached = new HashSet<int> { 0 };
        foreach (var range in ranges.OrderBy(static range => range.Start))
        {
            if (reached.Contains(range.Start))
            {
                reached.Add(range.End);
            }
        }

        return reached.Contains(layers);
    }

    private static ShardKey? KeyOf(PlannedShard shard, Dictionary<(string, string), PlannedModel> models) =>
        models.TryGetValue((shard.Model, shard.WeightsHash), out var model) && shard.LayerStart >= 0 && shard.LayerEnd > shard.LayerStart
            && shard.LayerEnd <= model.Shape.Layers.Count
            ? new ShardKey(
                shard.Model, shard.WeightsHash, new LayerRange(shard.LayerStart, shard.LayerEnd),
                model.Residual == NumericClass.Types.Residual.F32, model.LinksQ8)
            : null;

    /// <summary>Pipelines of the plan of which every shard serves, by model; <paramref name="own"/> is what stays here.</summary>
    private static ILookup<(string Model, string Hash), int> CompletePipelines(
        string me, ImmutableArray<OwnShard> own, PlanRecord plan, Dictionary<(string, string), PlannedModel> models, IEnumerable<MapWorker> others)
    {
        var serving = others.Where(static worker => worker.Record.Phase != WorkerPhase.Draining)
            .ToDictionary(static worker => worker.Record.WorkerId, static worker => worker.Record);
        return plan.Shards.Where(static shard => shard.Pipeline >= 0)
            .GroupBy(static shard => (shard.Model, Hash: shard.WeightsHash, shard.Pipeline))
            .Where(pipeline => IsWhole(pipeline, models) && pipeline.All(shard => shard.WorkerId == me
                ? KeyOf(shard, models) is { } key && own.Any(mine => mine.Key == key && mine.Phase == ShardPhase.Serving)
                : serving.TryGetValue(shard.WorkerId, out var record) && record.Shards.Any(theirs => IsServing(theirs, shard))))
            .ToLookup(static pipeline => (pipeline.Key.Model, pipeline.Key.Hash), static pipeline => pipeline.Key.Pipeline);
    }

    private static bool IsWhole(IEnumerable<PlannedShard> pipeline, Dictionary<(string, string), PlannedModel> models)
    {
        var next = 0;
        PlannedShard? last = null;
        foreach (var shard in pipeline.OrderBy(static shard => shard.LayerStart))
        {
            if (shard.LayerStart != next)
            {
                return false;
            }

            next = shard.LayerEnd;
            last = shard;
        }

        return last is not null && models.TryGetValue((last.Model, last.WeightsHash), out var model) && next == model.Shape.Layers.Count;
    }

    private static bool IsServing(ServingShard theirs, PlannedShard shard) =>
        theirs.State == ShardState.Serving && theirs.Model is { } model && model.Name == shard.Model
        && model.LayerStart == shard.LayerStart && model.LayerEnd == shard.LayerEnd && model.NumericClass?.WeightsHash == shard.WeightsHash;
}
