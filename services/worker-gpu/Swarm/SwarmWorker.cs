using System.Collections.Immutable;
using Parallax.Contracts.V1;
using Parallax.Runtime;
using Parallax.Runtime.Execution;
using Parallax.Swarm.Map;
using Parallax.Swarm.Members;
using Parallax.Worker.Gpu.Shards;
using NumericClass = Parallax.Contracts.V1.NumericClass;
using Shard = Parallax.Worker.Gpu.Shards.Shard;

namespace Parallax.Worker.Gpu.Swarm;

/// <summary>
/// The worker as a member of a swarm: follows the plan one step after another, and leaves in order. What to do is decided by
/// <see cref="PlanFollowing"/>, and by <see cref="SelfPlacing"/> while there is no scheduler.
/// </summary>
internal sealed partial class SwarmWorker(
    SwarmMember member,
    SwarmRecord record,
    ShardHost shards,
    IModelFinder models,
    PlanFloor floor,
    SelfPlacing alone,
    SwarmWorkerOptions options,
    TimeProvider clock,
    ILogger<SwarmWorker> logger) : BackgroundService
{
    private readonly Dictionary<ShardKey, (string Problem, bool IsNoRoom, long Since, int Tries)> _failed = []; // of the loop alone
    private readonly Dictionary<string, long> _draining = []; // since when shards that drain are in the way of others; of the loop alone
    private readonly HashSet<string> _held = []; // shards of which it has been said that they stay; of the loop alone
    private readonly TaskCompletionSource _isEmpty = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private HashSet<string> _seen = []; // ids of the shards that there were at the last step; of the loop alone
    private (ShardKey Key, Task Task, CancellationTokenSource GiveUp)? _loading; // of the loop alone
    private PlanRecord? _refused;
    private PlanVersion? _planAtLeave; // what was in force when the worker began to leave

    /// <summary>
    /// Gives all layers up in order: announces it, and waits until others serve what this worker serves, or nobody will.
    /// New sessions are taken meanwhile, if nobody else has the layers.
    /// </summary>
    public async Task GiveUpAllAsync(CancellationToken cancellationToken)
    {
        _planAtLeave = PlanVersions.VersionOf(member.Map.Plan);
        record.Leave();
        if (shards.Serving.IsEmpty || !member.Map.HasLivePlan(member.Now) || !member.Map.Present(member.Now).Any(other => other.Id != member.Self))
        {
            return; // nobody can take anything over, or there is nothing to take
        }

        LogLeaving(options.LeaveTime.TotalSeconds);
        try
        {
            await _isEmpty.Task.WaitAsync(options.LeaveTime, clock, cancellationToken);
        }
        catch (TimeoutException)
        {
            LogLeaveTimedOut();
        }
    }

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            Task[] wakes = [member.Changed, shards.Changed, record.Changed, _loading?.Task ?? Task.Delay(Timeout.Infinite, stoppingToken)];
            try
            {
                Step(stoppingToken);
            }
            catch (Exception e) when (e is not OperationCanceledException)
            {
                LogStepFailed(e);
            }

            await Task.WhenAny([.. wakes, Task.Delay(options.LookEvery, clock, stoppingToken)]);
        }

        if (_loading is { } loading)
        {
            await loading.GiveUp.CancelAsync();
            await loading.Task.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private void Step(CancellationToken stop)
    {
        EndLoad();
        var (map, now) = (member.Map, member.Now);
        var own = Own();
        ForgetNoRoom(own);
        var others = map.Present(now).Where(worker => worker.Id != member.Self).ToList();
        if (map.Plan is { } plan && !floor.TryRaise(plan))
        {
            if (!plan.Equals(_refused))
            {
                _refused = plan;
                LogLowerPlan(plan.Term, plan.Version, floor.ToString());
            }

            return;
        }

        var step = map.HasLivePlan(now) || record.IsLeaving
            ? PlanFollowing.Decide(member.Self, own, map.Plan, others, record.IsLeaving, _failed.Where(static failed => failed.Value.IsNoRoom).Select(static failed => failed.Key).ToHashSet())
            : alone.Decide(member, own, now);
        if (alone.News.Length > 0)
        {
            LogAlone(alone.News);
        }

        foreach (var shard in step.Keep.Where(shards.TryServeAgain))
        {
            LogKept(shard);
        }

        foreach (var (shard, why) in step.Release)
        {
            LogReleasing(shard, why);
            _ = shards.UnloadAsync(shard, options.SessionTime);
        }

        foreach (var (shard, why) in step.Held)
        {
            if (_held.Add(shard))
            {
                LogHeld(shard, why);
            }
        }

        GiveUpUnwanted(step, map.Plan);
        MakeRoom(step, own);
        if (_loading is null && step.Load.FirstOrDefault(key => IsDue(key)) is { } next && ModelOf(next, map.Plan) is { } model)
        {
            Begin(next, model, stop);
        }

        record.Problem = step.Load.Select(key => _failed.TryGetValue(key, out var failed) ? failed.Problem : "").FirstOrDefault(static text => text.Length > 0) ?? "";
        if (record.IsLeaving && (own.All(static shard => shard.Phase == ShardPhase.Draining) || IsHopeless(map, others)))
        {
            _isEmpty.TrySetResult();
        }
    }

    /// <summary>
    /// Waiting helps nobody: no scheduler lives, nobody else is there, or a plan made after the worker began to leave has no
    /// pipeline for a model that it serves.
    /// </summary>
    private bool IsHopeless(SwarmMap map, List<MapWorker> others) => !map.HasLivePlan(member.Now) || others.Count == 0 || HasNoPipeline(map);

    private bool HasNoPipeline(SwarmMap map) => map.Plan is { } plan && PlanVersions.IsNewer(PlanVersions.VersionOf(plan), _planAtLeave)
        && shards.Serving.Any(shard => !plan.Shards.Any(planned => planned.Model == shard.Model.Name && planned.Pipeline >= 0));

    private ImmutableArray<OwnShard> Own()
    {
        var own = shards.Shards
            .Where(static shard => shard.Engine is not null)
            .Select(static shard => new OwnShard(shard.Id, KeyOf(shard), shard.Phase, shard.SessionCount))
            .ToImmutableArray();
        return _loading is { } loading ? own.Add(new OwnShard("", loading.Key, ShardPhase.Loading, 0)) : own;
    }

    internal static ShardKey KeyOf(Shard shard)
    {
        var numericClass = shard.Engine!.Info.NumericClass;
        return new ShardKey(
            shard.Model.Name, numericClass.WeightsHash, shard.Range,
            numericClass.Residual == ResidualPrecision.F32, numericClass.Links == LinkPrecision.Blocks8);
    }

    private static PlannedModel? ModelOf(ShardKey key, PlanRecord? plan) => plan?.Models.FirstOrDefault(model =>
        model.Shape is { } shape && shape.Name == key.Model && shape.WeightsHash == key.WeightsHash);

    private bool IsDue(ShardKey key) => !_failed.TryGetValue(key, out var failed)
        || clock.GetElapsedTime(failed.Since) >= options.FirstRetry * Math.Min(1 << Math.Min(failed.Tries - 1, 10), 60);

    private void Begin(ShardKey key, PlannedModel model, CancellationToken stop)
    {
        var giveUp = CancellationTokenSource.CreateLinkedTokenSource(stop);
        LogLoading(key.Model, key.Range);
        record.BeginLoad(key, model.Shape.Layers.Count);
        _loading = (key, Task.Run(() => LoadAsync(key, model, giveUp.Token), CancellationToken.None), giveUp);
    }

    private async Task LoadAsync(ShardKey key, PlannedModel model, CancellationToken cancellationToken)
    {
        var path = await models.FindAsync(model.Shape, key.Range, new Progress<string>(text => record.Fetching = text), cancellationToken);
        record.Fetching = "";
        await shards.LoadAsync(
            new ShardRequest
            {
                ModelPath = path,
                Range = key.Range.Count == model.Shape.Layers.Count ? null : key.Range,
                Residual = key.IsF32 ? ResidualPrecision.F32 : ResidualPrecision.BF16,
                Links = key.IsQ8 ? LinkPrecision.Blocks8 : LinkPrecision.Exact,
                ContextLimit = model.ContextLimit == 0 ? null : model.ContextLimit,
                KvTokens = model.KvTokens == 0 ? null : model.KvTokens,
                MaxBatch = model.MaxBatch == 0 ? null : model.MaxBatch,
                WeightsHash = key.WeightsHash,
            },
            record.LoadProgress,
            cancellationToken);
    }

    /// <summary>Takes note of a load's end; one that failed is tried again later, with growing pauses.</summary>
    private void EndLoad()
    {
        if (_loading is not { Task.IsCompleted: true } loading)
        {
            return;
        }

        _loading = null;
        record.EndLoad();
        loading.GiveUp.Dispose();
        if (loading.Task.IsCompletedSuccessfully)
        {
            _failed.Remove(loading.Key);
            LogLoaded(loading.Key.Model, loading.Key.Range);
            return;
        }

        var cause = loading.Task.Exception?.InnerException;
        if (loading.Task.IsCanceled || cause is OperationCanceledException)
        {
            return;
        }

        var tries = _failed.GetValueOrDefault(loading.Key).Tries + 1;
        var text = $"layers {loading.Key.Range} of '{loading.Key.Model}' cannot be loaded: {cause?.Message}";
        _failed[loading.Key] = (text, cause is ShardRefusedException { Refusal: ShardRefusal.NoRoom }, clock.GetTimestamp(), tries);
        if (cause is ParallaxException)
        {
            LogLoadRefused(text);
        }
        else
        {
            LogLoadFailed(text, cause!);
        }
    }

    /// <summary>A load that a newer plan has no use for is given up; what failed for an older plan is forgotten.</summary>
    private void GiveUpUnwanted(FollowStep step, PlanRecord? plan)
    {
        if (_loading is { } loading && plan is not null && !IsWanted(loading.Key, plan))
        {
            loading.GiveUp.Cancel();
        }

        foreach (var key in _failed.Keys.Where(key => !step.Load.Contains(key)).ToList())
        {
            _failed.Remove(key);
        }
    }

    /// <summary>A shard has gone: what found no room before may find some.</summary>
    private void ForgetNoRoom(ImmutableArray<OwnShard> own)
    {
        var ids = own.Select(static shard => shard.Id).ToHashSet(StringComparer.Ordinal);
        if (!_seen.IsSubsetOf(ids))
        {
            foreach (var (key, _) in _failed.Where(static failed => failed.Value.IsNoRoom).ToList())
            {
                _failed.Remove(key);
            }
        }

        _seen = ids;
    }

    /// <summary>
    /// Sessions of shards that drain are given up when they are in the way of what is to be loaded, after a while: each goes on
    /// elsewhere, and one that waits for the very layers that find no room would wait for itself.
    /// </summary>
    private void MakeRoom(FollowStep step, ImmutableArray<OwnShard> own)
    {
        if (!step.Load.Any(key => _failed.TryGetValue(key, out var failed) && failed.IsNoRoom))
        {
            _draining.Clear();
            return;
        }

        foreach (var shard in own.Where(static shard => shard is { Phase: ShardPhase.Draining, Sessions: > 0 }))
        {
            _draining.TryAdd(shard.Id, clock.GetTimestamp());
            if (clock.GetElapsedTime(_draining[shard.Id]) >= options.RoomTime && shards.HurryUnload(shard.Id))
            {
                LogMakesRoom(shard.Id);
            }
        }
    }

    private bool IsWanted(ShardKey key, PlanRecord plan) => !member.Map.HasLivePlan(member.Now) || plan.Shards.Any(shard =>
        shard.WorkerId == member.Self.ToString() && shard.Model == key.Model && shard.WeightsHash == key.WeightsHash
        && shard.LayerStart == key.Range.Start && shard.LayerEnd == key.Range.End)
        && ModelOf(key, plan) is { } model && key.IsF32 == (model.Residual == NumericClass.Types.Residual.F32) && key.IsQ8 == model.LinksQ8;
}
