using System.Collections.Immutable;
using Parallax.Contracts.Identifiers;
using Parallax.Contracts.V1;
using Parallax.Placement;
using Parallax.Placement.Records;
using Parallax.UnitTests.Scheduler;
using static Parallax.UnitTests.Scheduler.Swarms;

namespace Parallax.UnitTests.Placement;

/// <summary>Workers that place themselves: one step, and whole swarms of them.</summary>
public class SelfPlacementTests
{
    private static readonly TimeSpan Settle = TimeSpan.FromSeconds(2);
    private static readonly ImmutableArray<ModelDemand> Models = [new(Shape("m", 8))];

    // A second pipeline would be no stampede but throughput.
    private static readonly ImmutableArray<ModelDemand> OnePipeline = [new(Shape("m", 8)) { MaxPipelines = 1 }];

    [Fact]
    public void WhileASchedulerLives_NobodyPlacesItself()
    {
        Assert.Equal(SelfAction.Nothing, Decide(1, [OneWorker(1, 8)], expired: null).Action);
        Assert.Equal(SelfAction.Withdraw, Decide(1, [Claiming(1, 8, 0, 8)], expired: null).Action);
    }

    [Fact]
    public void AfterThePlanHasExpired_JitterIsWaitedFor()
    {
        var step = Decide(1, [OneWorker(1, 8)], expired: TimeSpan.FromSeconds(1), jitter: TimeSpan.FromSeconds(3));
        Assert.Equal((SelfAction.Wait, TimeSpan.FromSeconds(2)), (step.Action, step.Wait));
    }

    [Fact]
    public void Alone_PublishesWaitsAndTakes()
    {
        var step = Decide(1, [OneWorker(1, 8)]);
        Assert.Equal((SelfAction.Publish, new ClaimedRange("m", Hash, Range(0, 8))), (step.Action, step.Range));

        step = Decide(1, [Claiming(1, 8, 0, 8)], age: TimeSpan.FromSeconds(0.5));
        Assert.Equal((SelfAction.Wait, TimeSpan.FromSeconds(1.5)), (step.Action, step.Wait));

        step = Decide(1, [Claiming(1, 8, 0, 8)], age: Settle);
        Assert.Equal((SelfAction.Take, new ClaimedRange("m", Hash, Range(0, 8))), (step.Action, step.Range));
    }

    [Fact]
    public void TwoWhoWantTheSame_TheLowerIdKeepsIt()
    {
        ImmutableArray<WorkerView> both = [Claiming(1, 8, 0, 8), Claiming(2, 8, 0, 8)];

        Assert.Equal(SelfAction.Take, Decide(1, both, age: Settle).Action);
        Assert.Equal(SelfAction.Withdraw, Decide(2, both, age: Settle).Action);
    }

    [Fact]
    public void LoserWhoIsNeededElsewhere_ClaimsThat()
    {
        var step = Decide(2, [Claiming(1, 5, 0, 5), Claiming(2, 5, 0, 5)], age: Settle);
        Assert.Equal((SelfAction.Publish, new ClaimedRange("m", Hash, Range(5, 8))), (step.Action, step.Range));
    }

    [Fact]
    public void WhoServes_StaysWhileAllLayersAreServed_AndWidensWhenTheyAreNot()
    {
        var head = OneWorker(1, 8, Shard("m", 0, 4, 8));
        Assert.Equal(SelfAction.Nothing, Decide(1, [head, OneWorker(2, 8, Shard("m", 4, 8, 8))]).Action);

        // The planner of these tests leaves a shard as it is; another node is needed for the rest.
        Assert.Equal(SelfAction.Nothing, Decide(1, [head]).Action);
        Assert.Equal((SelfAction.Publish, Range(4, 8)), (Decide(2, [head, OneWorker(2, 8)]).Action, Decide(2, [head, OneWorker(2, 8)]).Range!.Range));
    }

    [Theory]
    [MemberData(nameof(Planners.Names), MemberType = typeof(Planners))]
    public void WhoServesAlone_Stays_AndWhoServesTheSameAsALowerId_Moves(string planner)
    {
        var tail = Shard("m", 4, 8, 8);
        var newcomer = Decide(1, [OneWorker(1, 4), OneWorker(2, 4, tail)], planner: planner);
        Assert.Equal((SelfAction.Publish, Range(0, 4)), (newcomer.Action, newcomer.Range!.Range));
        Assert.Equal(SelfAction.Nothing, Decide(2, [OneWorker(1, 4), OneWorker(2, 4, tail)], planner: planner).Action);

        ImmutableArray<WorkerView> twice = [OneWorker(1, 4, tail), OneWorker(2, 4, tail)];
        Assert.Equal(SelfAction.Nothing, Decide(1, twice, planner: planner).Action);
        var mover = Decide(2, twice, planner: planner);
        Assert.Equal((SelfAction.Publish, Range(0, 4)), (mover.Action, mover.Range!.Range));
    }

    [Theory]
    [InlineData(WorkerPhase.Joining)]
    [InlineData(WorkerPhase.Draining)]
    public void WorkerThatIsNotReady_TakesNothing(WorkerPhase phase) =>
        Assert.Equal(SelfAction.Nothing, Decide(1, [OneWorker(1, 8) with { Phase = phase }]).Action);

    [Fact]
    public void WorkerThatLoads_FinishesFirst() =>
        Assert.Equal(SelfAction.Withdraw, Decide(1, [Claiming(1, 8, 0, 4) with { Shards = [new ShardView(Class, Range(0, 8), false)] }]).Action);

    [Theory]
    [InlineData("chain", 1)]
    [InlineData("allocator", 1)]
    [InlineData("chain", 2)]
    [InlineData("allocator", 2)]
    [InlineData("chain", 3)]
    [InlineData("allocator", 3)]
    [InlineData("chain", 4)]
    [InlineData("allocator", 4)]
    [InlineData("chain", 5)]
    [InlineData("allocator", 5)]
    public void TwentyAtOnce_CoverTheModelWithoutAStampede(string planner, int seed)
    {
        var swarm = new SelfPlacingSwarm(Planners.Get(planner), seed, 20, OnePipeline);

        var rounds = swarm.RunUntilQuiet(most: 60);

        // Four layers each: two nodes are enough. Nobody loads twice, and few load what others hold, too.
        Assert.True(swarm.IsCovered, swarm.Text);
        Assert.All(swarm.Loads, static loads => Assert.True(loads <= 1));
        Assert.True(swarm.Loads.Sum() <= 6, $"{swarm.Loads.Sum()} loads: {swarm.Text}");
        Assert.True(rounds <= 40, $"{rounds} rounds");
    }

    [Theory]
    [MemberData(nameof(Planners.Names), MemberType = typeof(Planners))]
    public void TwentyAtOnce_WhoSeeTheSame_LoadNothingTwice(string planner)
    {
        var swarm = new SelfPlacingSwarm(Planners.Get(planner), seed: null, 20, OnePipeline);

        swarm.RunUntilQuiet(most: 20);

        Assert.True(swarm.IsCovered, swarm.Text);
        Assert.Equal(2, swarm.Loads.Sum());
    }

    [Fact]
    public void TwentyAtOnce_WhoMayServeAsManyPipelinesAsPay_AllServeAndLoadOnce()
    {
        var swarm = new SelfPlacingSwarm(Planners.Get("allocator"), seed: null, 20, Models);

        swarm.RunUntilQuiet(most: 60);

        Assert.True(swarm.IsCovered, swarm.Text);
        Assert.All(swarm.Loads, static loads => Assert.Equal(1, loads));
        Assert.Equal((10, 10), (swarm.Text.Split(' ').Count(static one => one.EndsWith("[0,4)", StringComparison.Ordinal)), swarm.Text.Split(' ').Count(static one => one.EndsWith("[4,8)", StringComparison.Ordinal))));
    }

    private static ModelClass Class => new("m", Hash, NumericClass.Types.Residual.Bf16, false);

    private static WorkerView Claiming(int number, int layers, int start, int end) =>
        OneWorker(number, layers) with { Intent = new ClaimedRange("m", Hash, Range(start, end)) };

    private static SelfStep Decide(
        int self, ImmutableArray<WorkerView> workers, TimeSpan? expired, TimeSpan? age = null, TimeSpan? jitter = null, string planner = "chain")
    {
        Assert.True(PeerId.TryParse(Id(self), out var id));
        return SelfPlacement.Decide(
            new SelfPlacementInput(id, workers, Models, expired, jitter ?? TimeSpan.Zero, age, Settle), new AllocationOptions(), Planners.Get(planner));
    }

    private static SelfStep Decide(int self, ImmutableArray<WorkerView> workers, TimeSpan? age = null, string planner = "chain") =>
        Decide(self, workers, TimeSpan.FromMinutes(1), age, planner: planner);
}
