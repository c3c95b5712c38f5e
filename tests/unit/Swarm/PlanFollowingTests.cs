using System.Collections.Immutable;
using Parallax.Contracts.Identifiers;
using Parallax.Contracts.V1;
using Parallax.Swarm.Map;
using Parallax.Worker.Gpu.Shards;
using Parallax.Worker.Gpu.Swarm;

namespace Parallax.UnitTests.Swarm;

public sealed class PlanFollowingTests
{
    private const string Hash = "abcd";
    private static readonly PeerId Self = Id(1);

    [Fact]
    public void Without_a_plan_everything_stays() =>
        Assert.Equal(FollowStep.Nothing, PlanFollowing.Decide(Self, [Serving("s1", 0, 10)], null, [], isLeaving: false));

    [Fact]
    public void What_is_planned_and_not_there_is_loaded_pipelines_before_replicas()
    {
        var step = Decide([], Plan((1, 10, 20, -1), (1, 0, 10, 0), (2, 10, 20, 0)));
        Assert.Equal([Key(0, 10), Key(10, 20)], step.Load);
        Assert.Empty(step.Release);
    }

    [Fact]
    public void What_serves_or_loads_already_is_left_alone()
    {
        var plan = Plan((1, 0, 10, 0), (2, 10, 20, 0));
        Assert.Empty(Decide([Serving("s1", 0, 10)], plan).Load);
        Assert.Empty(Decide([new OwnShard("", Key(0, 10), ShardPhase.Loading, 0)], plan).Load);
        Assert.Empty(Decide([Serving("s1", 0, 10)], plan).Release);
    }

    [Fact]
    public void What_drains_and_is_planned_again_serves_on()
    {
        var plan = Plan((1, 0, 10, 0), (2, 10, 20, 0));
        var step = Decide([Draining("s1", 0, 10), Draining("s2", 0, 10), Draining("s3", 10, 20)], plan);
        Assert.Equal(["s1"], step.Keep);
        Assert.Empty(step.Load);
        Assert.Empty(Decide([Draining("s1", 0, 10), Serving("s2", 0, 10)], plan).Keep);
        Assert.Equal([Key(0, 10)], Decide([Draining("s3", 10, 20)], plan).Load);
        Assert.Empty(PlanFollowing.Decide(Self, [Draining("s1", 0, 10)], plan, [], isLeaving: true).Keep);

        static OwnShard Draining(string id, int start, int end) => new(id, Key(start, end), ShardPhase.Draining, 2);
    }

    [Fact]
    public void Another_numeric_class_is_another_shard()
    {
        var plan = Plan((1, 0, 20, 0));
        plan.Models[0].Residual = NumericClass.Types.Residual.F32;
        Assert.Equal([Key(0, 20) with { IsF32 = true }], Decide([Serving("s1", 0, 20)], plan).Load);
    }

    [Fact]
    public void A_range_is_given_up_only_when_a_whole_pipeline_of_the_plan_serves()
    {
        var plan = Plan((1, 0, 12, 0), (2, 12, 20, 0));
        ImmutableArray<OwnShard> own = [Serving("old", 0, 10), Serving("new", 0, 12)];

        Assert.Equal("old", Assert.Single(Decide(own, plan).Held).Shard); // nobody else is there
        Assert.Empty(Decide(own, plan, Other(2, (12, 20, ShardState.Loading))).Release);
        Assert.Empty(Decide(own, plan, Other(2, (10, 20, ShardState.Serving))).Release); // another range does not fit
        Assert.Equal("old", Assert.Single(Decide(own, plan, Other(2, (12, 20, ShardState.Serving))).Release).Shard);
        Assert.Empty(Decide([Serving("old", 0, 10)], plan, Other(2, (12, 20, ShardState.Serving))).Release); // its own part does not serve yet
    }

    [Fact]
    public void A_pipeline_with_a_hole_serves_nobody() =>
        Assert.Empty(Decide([Serving("old", 0, 10)], Plan((2, 0, 8, 0), (3, 9, 20, 0)), Other(2, (0, 8, ShardState.Serving)), Other(3, (9, 20, ShardState.Serving))).Release);

    [Fact]
    public void Whoever_drains_is_nobody_to_rely_on()
    {
        var other = Other(2, (0, 20, ShardState.Serving));
        other.Record.Phase = WorkerPhase.Draining;
        Assert.Empty(Decide([Serving("old", 0, 20)], Plan((2, 0, 20, 0)), other).Release);
        other.Record.Phase = WorkerPhase.Serving;
        Assert.Single(Decide([Serving("old", 0, 20)], Plan((2, 0, 20, 0)), other).Release);
    }

    [Fact]
    public void A_shard_of_other_weights_does_not_replace_this_one()
    {
        var other = Other(2, (0, 20, ShardState.Serving));
        other.Record.Shards[0].Model.NumericClass.WeightsHash = "ffff";
        Assert.Empty(Decide([Serving("old", 0, 20)], Plan((2, 0, 20, 0)), other).Release);
    }

    [Fact]
    public void A_retired_model_goes_at_once()
    {
        var plan = Plan();
        plan.Models.Clear();
        Assert.Equal("s1", Assert.Single(Decide([Serving("s1", 0, 20)], plan).Release).Shard);
    }

    [Fact]
    public void A_model_without_a_full_pipeline_in_the_plan_keeps_what_it_has() =>
        Assert.Equal("s1", Assert.Single(Decide([Serving("s1", 0, 10)], Plan()).Held).Shard);

    [Fact]
    public void Who_leaves_loads_nothing_and_gives_up_what_others_serve()
    {
        var plan = Plan((1, 0, 20, 0), (2, 0, 20, 1));
        var leaving = PlanFollowing.Decide(Self, [Serving("s1", 0, 20)], plan, [Other(2, (0, 20, ShardState.Serving))], isLeaving: true);
        Assert.Empty(leaving.Load);
        Assert.Equal("s1", Assert.Single(leaving.Release).Shard);
        Assert.Single(PlanFollowing.Decide(Self, [Serving("s1", 0, 20)], plan, [], isLeaving: true).Held);
    }

    [Fact]
    public void Whom_the_plan_drains_is_as_if_it_left()
    {
        var plan = Plan((1, 0, 20, 0), (2, 0, 20, 1));
        plan.Drain.Add(Self.ToString());
        Assert.Single(Decide([Serving("s1", 0, 20)], plan, Other(2, (0, 20, ShardState.Serving))).Release);
    }

    [Fact]
    public void Without_room_for_both_a_range_that_others_keep_is_given_up()
    {
        var plan = Plan((1, 10, 20, 0), (3, 0, 10, 0));
        ImmutableArray<OwnShard> own = [Serving("old", 0, 10)];
        var (leaving, keeps) = (Other(2, (10, 20, ShardState.Serving)), Other(3, (0, 10, ShardState.Serving)));
        leaving.Record.Phase = WorkerPhase.Draining;

        Assert.Equal("old", Assert.Single(Decide(own, plan, leaving, keeps).Held).Shard); // as long as there is room
        Assert.Equal("old", Assert.Single(Short(own, plan, leaving, keeps).Release).Shard);
        Assert.Equal("old", Assert.Single(Short(own, plan, leaving, Other(3, (0, 10, ShardState.Loading))).Held).Shard);
    }

    [Fact]
    public void Without_room_for_both_nobody_relies_on_layers_that_another_may_give_up_too()
    {
        var plan = Plan((1, 10, 20, 0), (3, 0, 10, 0), (4, 10, 20, 1));
        var (last, moves) = (Other(5, (10, 20, ShardState.Serving)), Other(4, (0, 10, ShardState.Serving)));
        last.Record.Phase = WorkerPhase.Draining;
        Assert.Equal("old", Assert.Single(Short([Serving("old", 0, 10)], plan, last, moves).Held).Shard);
        Assert.Single(Short([Serving("old", 0, 10)], plan, last, moves, Other(3, (0, 10, ShardState.Serving))).Release);
    }

    [Fact]
    public void Without_room_for_both_a_range_of_a_model_that_nobody_serves_is_given_up()
    {
        var plan = Plan((1, 10, 20, 0), (2, 0, 10, 0));
        Assert.Single(Short([Serving("old", 0, 10)], plan, Other(2, (0, 10, ShardState.Serving))).Release);
        Assert.Single(Short([Serving("old", 0, 10)], plan, Other(2, (0, 10, ShardState.Loading)), Other(3, (12, 20, ShardState.Serving))).Release);
        Assert.Single(Short([Serving("old", 0, 10)], plan, Other(3, (10, 20, ShardState.Serving))).Held); // these two serve it
    }

    [Fact]
    public void Nonsense_in_a_plan_is_not_loaded() =>
        Assert.Empty(Decide([], Plan((1, 5, 5, 0), (1, -1, 4, 0), (1, 10, 21, 0))).Load);

    private static FollowStep Decide(ImmutableArray<OwnShard> own, PlanRecord plan, params MapWorker[] others) =>
        PlanFollowing.Decide(Self, own, plan, others, isLeaving: false);

    private static FollowStep Short(ImmutableArray<OwnShard> own, PlanRecord plan, params MapWorker[] others) =>
        PlanFollowing.Decide(Self, own, plan, others, isLeaving: false, plan.Shards.Where(static shard => shard.WorkerId == Self.ToString()).Select(static shard => Key(shard.LayerStart, shard.LayerEnd)).ToHashSet());

    private static OwnShard Serving(string id, int start, int end) => new(id, Key(start, end), ShardPhase.Serving, 0);

    private static ShardKey Key(int start, int end) => new("m", Hash, new LayerRange(start, end), IsF32: false, IsQ8: false);

    private static PlanRecord Plan(params (int Worker, int Start, int End, int Pipeline)[] shards)
    {
        var plan = new PlanRecord { Term = 1, Version = 1 };
        var shape = new ModelShape { Name = "m", WeightsHash = Hash };
        shape.Layers.Add(Enumerable.Range(0, 20).Select(static _ => new LayerShape()));
        plan.Models.Add(new PlannedModel { Shape = shape });
        plan.Shards.Add(shards.Select(static s => new PlannedShard
        {
            WorkerId = Id(s.Worker).ToString(),
            Model = "m",
            WeightsHash = Hash,
            LayerStart = s.Start,
            LayerEnd = s.End,
            Pipeline = s.Pipeline,
        }));
        return plan;
    }

    private static MapWorker Other(int id, params (int Start, int End, ShardState State)[] shards)
    {
        var record = new WorkerRecord { WorkerId = Id(id).ToString(), Phase = WorkerPhase.Serving };
        record.Shards.Add(shards.Select(static s => new ServingShard
        {
            Model = new ServedModel { Name = "m", LayerStart = s.Start, LayerEnd = s.End, LayerCount = 20, NumericClass = new NumericClass { WeightsHash = Hash } },
            State = s.State,
        }));
        return new MapWorker(Id(id), record, 1, 1, TimeSpan.MaxValue, TimeSpan.Zero);
    }

    private static PeerId Id(int n)
    {
        Span<byte> bytes = stackalloc byte[PeerId.Size];
        bytes[0] = (byte)n;
        return new PeerId(bytes);
    }
}
