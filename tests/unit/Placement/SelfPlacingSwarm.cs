using System.Collections.Immutable;
using Parallax.Contracts.Identifiers;
using Parallax.Contracts.V1;
using Parallax.Placement;
using Parallax.Placement.Records;
using Parallax.Worker.Gpu.Swarm;
using static Parallax.UnitTests.Scheduler.Swarms;

namespace Parallax.UnitTests.Placement;

/// <summary>
/// Workers that place themselves, in rounds of half a second. With a seed, each sees each other's record up to three rounds late and
/// they begin within four rounds of one another; without, all see all at once. Loading takes six rounds.
/// </summary>
internal sealed class SelfPlacingSwarm
{
    private const int LoadRounds = 6;
    private const int MostDelay = 3;

    private static readonly TimeSpan Round = TimeSpan.FromSeconds(0.5);
    private static readonly TimeSpan Settle = TimeSpan.FromSeconds(2);

    private readonly Replan _planner;
    private readonly Random? _random;
    private readonly ImmutableArray<ModelDemand> _models;
    private readonly List<WorkerView>[] _published;
    private readonly int[] _begin;
    private readonly int?[] _intentSince;
    private readonly int?[] _loadedAt;
    private int _round;

    public SelfPlacingSwarm(Replan planner, int? seed, int count, ImmutableArray<ModelDemand> models)
    {
        _planner = planner;
        _random = seed is { } value ? new Random(value) : null;
        _models = models;
        _published = [.. Enumerable.Range(1, count).Select(static number => new List<WorkerView> { OneWorker(number, 4) })];
        _begin = [.. Enumerable.Range(0, count).Select(_ => _random?.Next(0, 4) ?? 0)];
        _intentSince = new int?[count];
        _loadedAt = new int?[count];
        Loads = new int[count];
    }

    public int[] Loads { get; }

    public bool IsCovered
    {
        get
        {
            var at = 0;
            while (at < _models[0].Shape.Layers.Length)
            {
                var next = _published.SelectMany(static history => history[^1].Shards).Where(shard => shard.IsServing && shard.Range.Start == at).ToList();
                if (next.Count == 0)
                {
                    return false;
                }

                at = next.Max(static shard => shard.Range.End);
            }

            return true;
        }
    }

    public string Text => string.Join(' ', _published.Select(static (history, i) => $"{i + 1}:{string.Join('+', history[^1].Shards.Select(static shard => shard.Range))}"));

    public int RunUntilQuiet(int most)
    {
        var quiet = 0;
        for (_round = 0; _round < most && quiet <= MostDelay + LoadRounds; _round++)
        {
            quiet = Step() ? 0 : quiet + 1;
        }

        return _round;
    }

    private bool Step()
    {
        var happened = false;
        var next = _published.Select(static history => history[^1]).ToArray();
        for (var i = 0; i < next.Length; i++)
        {
            if (_loadedAt[i] == _round)
            {
                next[i] = next[i] with { Phase = WorkerPhase.Serving, Shards = [next[i].Shards[0] with { IsServing = true }] };
                happened = true;
            }

            if (_round < _begin[i])
            {
                happened = true;
                continue;
            }

            var view = _published.Select((history, other) => other == i ? next[i] : history[Math.Max(0, history.Count - 1 - Delay())]).ToImmutableArray();
            Assert.True(PeerId.TryParse(Id(i + 1), out var self));
            var step = SelfPlacement.Decide(
                new SelfPlacementInput(self, view, _models, Round * _round, Round * _begin[i], (_round - _intentSince[i]) * Round, Settle),
                SelfPlacing.Options,
                _planner);
            happened |= step.Action is not SelfAction.Nothing;
            switch (step.Action)
            {
                case SelfAction.Publish:
                    next[i] = next[i] with { Intent = step.Range };
                    _intentSince[i] = _round;
                    break;
                case SelfAction.Withdraw:
                    next[i] = next[i] with { Intent = null };
                    _intentSince[i] = null;
                    break;
                case SelfAction.Take:
                    var model = new ModelClass(step.Range!.Model, step.Range.WeightsHash, NumericClass.Types.Residual.Bf16, false);
                    next[i] = next[i] with { Intent = null, Phase = WorkerPhase.Loading, Shards = [new ShardView(model, step.Range.Range, false)] };
                    _intentSince[i] = null;
                    _loadedAt[i] = _round + LoadRounds;
                    Loads[i]++;
                    break;
            }
        }

        for (var i = 0; i < next.Length; i++)
        {
            _published[i].Add(next[i]);
        }

        return happened;
    }

    private int Delay() => _random?.Next(0, MostDelay + 1) ?? 0;
}
