using Parallax.Contracts.V1;
using Parallax.Placement;
using Parallax.Scheduler.Planning;
using static Parallax.UnitTests.Scheduler.Swarms;

namespace Parallax.UnitTests.Scheduler;

/// <summary>When a scheduler plans, and what it takes for a change.</summary>
public class PlanTimingTests
{
    private static readonly SchedulerSettings Settings = new();

    private static readonly SchedulerState Serving = new Story { Swarm = Of(OneWorker(1, 8), OneWorker(2, 8)) }.Given(
        new ModelDeployed(new CommandStamp("c", "d"), Model("m", 8)),
        new PlanChanged(
            new AllocationPlan([new PlannedPipeline("m", [new Assignment(Id(1), "m", Range(0, 8))], 1, 1)], [], [Id(2)], [], []),
            [],
            SchedulerState.Map<long>().Add(Id(1), 1),
            Story.Now,
            "")).State;

    [Fact]
    public void Changes_AreGathered_ButNotForEver()
    {
        var timing = PlanTiming.Planned(At(10));
        Assert.Equal(At(70), timing.DueAt(Settings));
        timing = timing.With(SwarmChange.None, At(11));
        Assert.Equal(At(70), timing.DueAt(Settings));

        timing = timing.With(SwarmChange.Changed, At(20));
        Assert.Equal(At(20.5), timing.DueAt(Settings));
        timing = timing.With(SwarmChange.Changed, At(20.4));
        Assert.Equal(At(20.9), timing.DueAt(Settings));
        timing = timing.With(SwarmChange.Changed, At(21.9));
        Assert.Equal(At(22), timing.DueAt(Settings));
    }

    [Fact]
    public void Gain_IsNotFollowedSoonAfterAMove_AndLaterEachTime_UntilSomebodyJoins()
    {
        var pause = new RebalancePause().Moved(At(100), isForGain: false);
        Assert.Equal((false, true), (pause.IsOver(At(159), Settings), pause.IsOver(At(160), Settings)));
        pause = pause.Moved(At(160), isForGain: true).Moved(At(300), isForGain: true);
        Assert.Equal((false, true), (pause.IsOver(At(300 + 239), Settings), pause.IsOver(At(300 + 240), Settings)));
        Assert.True(pause.Joined().IsOver(At(360), Settings));
        pause = Enumerable.Range(0, 100).Aggregate(pause, static (all, _) => all.Moved(At(1000), isForGain: true));
        Assert.Equal((false, true), (pause.IsOver(At(1000 + 3839), Settings), pause.IsOver(At(1000 + 3840), Settings)));
    }

    [Fact]
    public void Gain_ThatIsNotToBeFollowed_ChangesNoPlan()
    {
        var gains = new List<double>();
        var story = new Story((models, cluster, current, options) =>
        {
            gains.Add(options.RebalanceGain);
            return ChainPlanner.Replan(models, cluster, current, options);
        });
        Planner.Plan(PlanRequest.Of(Serving, story.Swarm, StallWatch.Empty), story.Context with { MayRebalance = false }, isFree: false);
        Planner.Plan(PlanRequest.Of(Serving, story.Swarm, StallWatch.Empty), story.Context, isFree: false);
        Planner.Plan(PlanRequest.Of(Serving, story.Swarm, StallWatch.Empty), story.Context with { MayRebalance = false }, isFree: true);
        Assert.Equal([double.PositiveInfinity, 1.2, 1], gains);
    }

    [Fact]
    public void HasJoined_IsWhoWasNotThereInThisRun()
    {
        var before = Of(OneWorker(1, 8), OneWorker(2, 8));
        Assert.False(SwarmChanges.HasJoined(before, Of(OneWorker(1, 9))));
        Assert.True(SwarmChanges.HasJoined(before, Of(OneWorker(1, 8), OneWorker(3, 8))));
        var again = Record(2, 8);
        again.Incarnation = 2;
        Assert.True(SwarmChanges.HasJoined(before, Of(OneWorker(1, 8), View(again))));
    }

    [Fact]
    public void LostPipeline_DoesNotWait()
    {
        var timing = PlanTiming.Planned(At(10)).With(SwarmChange.Changed, At(20)).With(SwarmChange.PipelineLost, At(20.1));

        Assert.True(timing.DueAt(Settings) <= At(20.1));
        Assert.True(PlanTiming.Planned(At(21)).DueAt(Settings) > At(60));
    }

    [Fact]
    public void Change_IsWhatMattersToPlanning()
    {
        var before = Of(OneWorker(1, 8), OneWorker(2, 8));
        Assert.Equal(SwarmChange.None, Between(View(Busy(Record(1, 8))), OneWorker(2, 8)));
        Assert.Equal(SwarmChange.Changed, Between(OneWorker(1, 8), OneWorker(2, 9)));
        Assert.Equal(SwarmChange.Changed, Between(OneWorker(1, 8), OneWorker(2, 8), OneWorker(3, 8)));
        Assert.Equal(SwarmChange.Changed, Between(OneWorker(1, 8)));
        Assert.Equal(SwarmChange.Changed, Between(OneWorker(1, 8, Shard("m", 0, 8, 8)), OneWorker(2, 8)));
        Assert.Equal(SwarmChange.Changed, Between(OneWorker(1, 8), View(new WorkerRecord(Record(2, 8)) { Phase = WorkerPhase.Draining })));
        Assert.Equal(SwarmChange.Changed, Between(OneWorker(1, 8), View(new WorkerRecord(Record(2, 8)) { Unreachable = { Id(1) } })));
        Assert.Equal(SwarmChange.PipelineLost, Between(OneWorker(2, 8)));
        Assert.Equal(SwarmChange.PipelineLost, Between(View(new WorkerRecord(Record(1, 8)) { Incarnation = 2 }), OneWorker(2, 8)));

        SwarmChange Between(params Parallax.Placement.Records.WorkerView[] after) => SwarmChanges.Between(before, Of(after), Serving);

        static WorkerRecord Busy(WorkerRecord record)
        {
            record.Sequence = 99;
            record.Load = new Load { Sessions = 5, Busy = 0.5 };
            record.Rtts.Add(new PeerRtt { WorkerId = Id(2), Milliseconds = 3 });
            return record;
        }
    }

    [Fact]
    public void Stall_WorkerThatNotesNothing_IsSetAsideAndComesBack()
    {
        var deaf = Of(View(new WorkerRecord(Record(1, 8)) { Follows = null }), OneWorker(2, 8));
        var stalls = StallWatch.Empty.Observe(Serving, deaf, At(0), Settings);
        Assert.Equal(At(60), stalls.NextAt(Settings));
        stalls = stalls.Observe(Serving, deaf, At(59), Settings);
        Assert.False(stalls.IsAside(deaf.Workers[Id(1)]));

        stalls = stalls.Observe(Serving, deaf, At(60), Settings);
        Assert.True(stalls.IsAside(deaf.Workers[Id(1)]));
        Assert.DoesNotContain(PlanRequest.Of(Serving, deaf, stalls).Cluster.Nodes, static node => node.Id == Id(1));
        var anew = Of(View(new WorkerRecord(Record(1, 8)) { Incarnation = 2 }));
        Assert.False(stalls.Observe(Serving, anew, At(61), Settings).IsAside(anew.Workers[Id(1)]));

        stalls = stalls.Observe(Serving, deaf, At(359), Settings);
        Assert.True(stalls.IsAside(deaf.Workers[Id(1)]));
        stalls = stalls.Observe(Serving, deaf, At(360), Settings);
        Assert.False(stalls.IsAside(deaf.Workers[Id(1)]));
    }

    [Fact]
    public void Stall_WorkerThatDoesOrMustWait_IsNotSetAside()
    {
        Assert.Empty(After(OneWorker(1, 8, Shard("m", 0, 8, 8))));
        Assert.Empty(After(View(new WorkerRecord(Record(1, 8, Shard("m", 0, 8, 8, ShardState.Loading))) { Phase = WorkerPhase.Loading })));
        Assert.Empty(After(OneWorker(1, 8, Shard("n", 0, 8, 8)))); // its sessions there have to end first
        Assert.NotEmpty(After(OneWorker(1, 8)));
        Assert.Empty(StallWatch.Empty.Observe(Serving, Of(OneWorker(2, 8)), At(0), Settings).Entries); // it was told nothing

        static IEnumerable<string> After(Parallax.Placement.Records.WorkerView worker) =>
            StallWatch.Empty.Observe(Serving, Of(worker), At(0), Settings).Observe(Serving, Of(worker), At(100), Settings).Entries.Keys;
    }

    private static TimeSpan At(double seconds) => TimeSpan.FromSeconds(seconds);
}
