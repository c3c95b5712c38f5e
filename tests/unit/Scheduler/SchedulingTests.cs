using System.Collections.Immutable;
using Parallax.Contracts.V1;
using Parallax.Placement;
using Parallax.Scheduler.Planning;
using static Parallax.UnitTests.Scheduler.Swarms;

namespace Parallax.UnitTests.Scheduler;

/// <summary>Given, when, then: every command and what observation leads to.</summary>
public class SchedulingTests
{
    private readonly Story _story = new();

    [Fact]
    public void Deploy_WithRoom_PlansAtOnce()
    {
        _story.Swarm = Of(OneWorker(1, 5), OneWorker(2, 5));

        var decision = _story.When(stamp => new DeployModel(stamp, Model("m", 8)));

        Assert.Equal([typeof(ModelDeployed), typeof(PlanChanged)], Types(decision.Events));
        Assert.Equal("m: 1[0,5) 2[5,8)", _story.Plan);
        var changed = (PlanChanged)decision.Events[1];
        Assert.Equal((Story.Now, "model m was deployed"), (changed.DecidedAt, changed.Cause));
        Assert.Equal([1L, 1L], changed.Incarnations.Values);
        Assert.Equal(2, changed.Moves.Length);
    }

    [Fact]
    public void Deploy_WithoutRoom_SaysHowMuchIsMissing()
    {
        _story.Swarm = Of(OneWorker(1, 5));

        _story.When(stamp => new DeployModel(stamp, Model("m", 8)));

        Assert.Equal("m lacks 300", _story.Plan);
        Assert.Equal(["m lacks 300 bytes."], Parallax.Scheduler.Workflow.PlanRecords.Of(_story.State).Shortages);
    }

    [Fact]
    public void Deploy_Again_ChangesParametersAndNotThePlacement()
    {
        _story.Swarm = Of(OneWorker(1, 8));
        _story.When(stamp => new DeployModel(stamp, Model("m", 8)));

        var decision = _story.When(stamp => new DeployModel(stamp, Model("m", 8) with { ContextLimit = 100 }));

        Assert.Equal([typeof(ModelDeployed)], Types(decision.Events));
        Assert.Equal(100, _story.State.Models["m"].ContextLimit);
        Assert.Equal("m: 1[0,8)", _story.Plan);
    }

    [Fact]
    public void Deploy_OtherWeights_PlacesAnew()
    {
        _story.Swarm = Of(OneWorker(1, 8, Shard("m", 0, 8, 8)));
        _story.When(stamp => new DeployModel(stamp, Model("m", 8)));
        _story.When(stamp => new PinShard(stamp, new Assignment(Id(1), "m", Range(0, 8))));

        var decision = _story.When(stamp => new DeployModel(stamp, Model("m", 8, "beef")));

        var changed = Assert.IsType<PlanChanged>(decision.Events[^1]);
        Assert.Equal(Assert.Single(changed.Moves), new Move(Id(1), "m", null, Range(0, 8), 0)); // the old weights are no part of it
        Assert.Equal("beef", Parallax.Scheduler.Workflow.PlanRecords.Of(_story.State).Shards.Single().WeightsHash);
        Assert.Empty(_story.State.Pins);
    }

    [Fact]
    public void Deploy_TooManyModels_IsRefused()
    {
        _story.Context = _story.Context with { Settings = new SchedulerSettings { MostModels = 1 } };
        _story.When(stamp => new DeployModel(stamp, Model("m", 1)));

        Assert.Equal(RefusalKind.TooMany, _story.When(stamp => new DeployModel(stamp, Model("n", 1))).Refusal!.Kind);
        Assert.Null(_story.When(stamp => new DeployModel(stamp, Model("m", 2))).Refusal);
    }

    [Fact]
    public void Deploy_ModelsShareTheSwarm()
    {
        _story.Swarm = Of(OneWorker(1, 5), OneWorker(2, 5), OneWorker(3, 5));
        _story.When(stamp => new DeployModel(stamp, Model("m", 8)));
        _story.When(stamp => new DeployModel(stamp, Model("n", 4)));

        Assert.Equal("m: 1[0,5) 2[5,8); n: 3[0,4)", _story.Plan);
    }

    [Fact]
    public void Retire_TakesItOutOfThePlan()
    {
        _story.Swarm = Of(OneWorker(1, 8));
        _story.When(stamp => new DeployModel(stamp, Model("m", 8)));
        _story.When(stamp => new PinShard(stamp, new Assignment(Id(1), "m", Range(0, 8))));

        var decision = _story.When(stamp => new RetireModel(stamp, "m"));

        Assert.Equal(typeof(ModelRetired), Types(decision.Events)[0]);
        Assert.Equal("", _story.Plan);
        Assert.Empty(_story.State.Models);
        Assert.Empty(_story.State.Pins);
        Assert.Empty(Parallax.Scheduler.Workflow.PlanRecords.Of(_story.State).Shards);
    }

    [Fact]
    public void Retire_Unknown_IsRefusedAndNamesWhatThereIs()
    {
        _story.When(stamp => new DeployModel(stamp, Model("m", 8)));

        var refusal = _story.When(stamp => new RetireModel(stamp, "x")).Refusal!;
        Assert.Equal(RefusalKind.NotFound, refusal.Kind);
        Assert.Contains("deployed are m", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Drain_OthersGetItsLayers()
    {
        _story.Swarm = Of(OneWorker(1, 8, Shard("m", 0, 8, 8)), OneWorker(2, 8));
        _story.When(stamp => new DeployModel(stamp, Model("m", 8)));
        Assert.Equal("m: 1[0,8)", _story.Plan);

        _story.When(stamp => new DrainWorker(stamp, Id(1)));

        Assert.Equal("m: 2[0,8)", _story.Plan);
        Assert.Equal([Id(1)], Parallax.Scheduler.Workflow.PlanRecords.Of(_story.State).Drain);
    }

    [Fact]
    public void Drain_NobodyElseHasRoom_KeepsIt()
    {
        _story.Swarm = Of(OneWorker(1, 8, Shard("m", 0, 8, 8)), OneWorker(2, 4));
        _story.When(stamp => new DeployModel(stamp, Model("m", 8)));

        _story.When(stamp => new DrainWorker(stamp, Id(1)));

        Assert.Equal("m: 1[0,8)", _story.Plan);
    }

    [Fact]
    public void Drain_Unknown_IsRefused() =>
        Assert.Equal(RefusalKind.NotFound, _story.When(stamp => new DrainWorker(stamp, Id(7))).Refusal!.Kind);

    [Fact]
    public void Drain_EndsWhenTheWorkerLeavesOrStartsAnew()
    {
        _story.Swarm = Of(OneWorker(1, 8), OneWorker(2, 8));
        _story.When(stamp => new DrainWorker(stamp, Id(1)));
        _story.When(stamp => new DrainWorker(stamp, Id(2)));

        var events = _story.WhenObserved(Of(View(new WorkerRecord(Record(2, 8)) { Incarnation = 2 })));

        Assert.Equal([new WorkerLeft(Id(1)), new WorkerReturned(Id(2), 2)], events);
        Assert.Empty(_story.State.Draining);
    }

    [Fact]
    public void Remove_CountsAsGoneWhateverItSays_UntilItStartsAnew()
    {
        var swarm = Of(OneWorker(1, 8, Shard("m", 0, 8, 8)), OneWorker(2, 8));
        _story.Swarm = swarm;
        _story.When(stamp => new DeployModel(stamp, Model("m", 8)));

        _story.When(stamp => new RemoveWorker(stamp, Id(1)));
        Assert.Equal("m: 2[0,8)", _story.Plan);
        Assert.Empty(_story.WhenObserved(swarm));
        Assert.Empty(_story.WhenObserved(Of(OneWorker(2, 8)))); // also when its record is gone for a while
        Assert.Empty(_story.WhenObserved(swarm));
        Assert.Equal(RefusalKind.NotFound, _story.When(stamp => new DrainWorker(stamp, Id(1))).Refusal!.Kind);

        var events = _story.WhenObserved(Of(View(new WorkerRecord(Record(1, 8)) { Incarnation = 2 })));
        Assert.Contains(new WorkerReturned(Id(1), 2), events);
        Assert.Equal("m: 1[0,8)", _story.Plan);
    }

    [Fact]
    public void Remove_WorkerOfThePlanThatIsGone_Works()
    {
        _story.Swarm = Of(OneWorker(1, 8));
        _story.When(stamp => new DeployModel(stamp, Model("m", 8)));
        _story.Swarm = SwarmView.Empty;

        Assert.Null(_story.When(stamp => new RemoveWorker(stamp, Id(1))).Refusal);
        Assert.Equal(1, _story.State.Removed[Id(1)]);
        Assert.Equal(RefusalKind.NotFound, _story.When(stamp => new RemoveWorker(stamp, Id(2))).Refusal!.Kind);
    }

    [Fact]
    public void Pin_MovesThereAndStays()
    {
        _story.Swarm = Of(OneWorker(1, 8), OneWorker(2, 8));
        _story.When(stamp => new DeployModel(stamp, Model("m", 8)));
        Assert.Equal("m: 1[0,8)", _story.Plan);

        _story.When(stamp => new PinShard(stamp, new Assignment(Id(2), "m", Range(0, 8))));
        Assert.Equal("m: 2[0,8)", _story.Plan);
        Assert.Equal(Id(2), Parallax.Scheduler.Workflow.PlanRecords.Of(_story.State).Models.Single().Pins.Single().WorkerId);

        _story.When(stamp => new UnpinShard(stamp, Id(2), "m"));
        Assert.Empty(_story.State.Pins);
        Assert.Equal(RefusalKind.NotFound, _story.When(stamp => new UnpinShard(stamp, Id(2), "m")).Refusal!.Kind);
    }

    [Fact]
    public void Pin_Nonsense_IsRefused()
    {
        _story.Swarm = Of(OneWorker(1, 8), OneWorker(2, 8));
        _story.When(stamp => new DeployModel(stamp, Model("m", 8)));
        _story.When(stamp => new DrainWorker(stamp, Id(2)));

        Assert.Equal(RefusalKind.NotFound, Refused(Id(1), "x", 0, 8));
        Assert.Equal(RefusalKind.NotFound, Refused(Id(3), "m", 0, 8));
        Assert.Equal(RefusalKind.Invalid, Refused(Id(1), "m", 0, 9));
        Assert.Equal(RefusalKind.Invalid, Refused(Id(1), "m", -1, 8));
        Assert.Equal(RefusalKind.Invalid, Refused(Id(1), "m", 3, 3));
        Assert.Equal(RefusalKind.Invalid, Refused(Id(2), "m", 0, 8));

        RefusalKind Refused(string worker, string model, int start, int end) =>
            _story.When(stamp => new PinShard(stamp, new Assignment(worker, model, Range(start, end)))).Refusal!.Kind;
    }

    [Fact]
    public void Rebalance_AsksForTheBestPlan()
    {
        var gains = new List<double>();
        _story.Context = _story.Context with
        {
            Replan = (models, cluster, current, options) =>
            {
                gains.Add(options.RebalanceGain);
                return ChainPlanner.Replan(models, cluster, current, options);
            },
        };
        _story.Swarm = Of(OneWorker(1, 8));
        _story.When(stamp => new DeployModel(stamp, Model("m", 8)));

        Assert.Equal([typeof(RebalanceAsked)], Types(_story.When(stamp => new Rebalance(stamp)).Events));
        Assert.Equal([1.2, 1], gains);
    }

    [Fact]
    public void Command_Repeated_ChangesNothing()
    {
        _story.Swarm = Of(OneWorker(1, 8));
        var deploy = new DeployModel(_story.NextStamp(), Model("m", 8));
        _story.When(deploy);
        _story.When(stamp => new RetireModel(stamp, "m"));
        var version = _story.State.Version;

        Assert.True(_story.When(deploy).IsRepeat);
        Assert.Equal(version, _story.State.Version);
        var other = _story.When(deploy with { Stamp = deploy.Stamp with { Digest = "other" } });
        Assert.Equal(RefusalKind.Conflict, other.Refusal!.Kind);
    }

    [Fact]
    public void Commands_OnlyTheLatestAreRemembered()
    {
        var deploy = new DeployModel(_story.NextStamp(), Model("m", 8));
        _story.When(deploy);
        for (var i = 0; i < CommandMemory.Most; i++)
        {
            Assert.Equal(Math.Min(CommandMemory.Most, i + 1), _story.State.Commands.ById.Count);
            _story.When(stamp => new Rebalance(stamp));
        }

        Assert.Equal(CommandMemory.Most, _story.State.Commands.InOrder.Count());
        Assert.False(_story.When(deploy).IsRepeat);
    }

    [Fact]
    public void Observed_NothingNew_IsNoEvent()
    {
        var swarm = Of(OneWorker(1, 5, Shard("m", 0, 5, 8)), OneWorker(2, 5, Shard("m", 5, 8, 8)));
        Assert.Empty(_story.WhenObserved(swarm));
        _story.When(stamp => new DeployModel(stamp, Model("m", 8)));

        Assert.Empty(_story.WhenObserved(swarm));
        Assert.Empty(_story.WhenObserved(swarm));
    }

    [Fact]
    public void Deploy_WithPins_PlacesThemAtOnce()
    {
        _story.Swarm = Of(OneWorker(1, 8), OneWorker(2, 8));

        var decision = _story.When(stamp => new DeployModel(stamp, Model("m", 8)) { Pins = [Pin(2, 0, 3), Pin(1, 3, 8)] });

        // One plan, and in it nobody is told to load the whole model first.
        Assert.Equal([typeof(ModelDeployed), typeof(PlanChanged)], Types(decision.Events));
        Assert.Equal("m: 2[0,3) 1[3,8)", _story.Plan);
        Assert.Equal([Pin(1, 3, 8), Pin(2, 0, 3)], _story.State.Pins);
    }

    [Fact]
    public void Deploy_WithPins_ReplacesTheModelsOwnAndNoOthers()
    {
        _story.Swarm = Of(OneWorker(1, 8), OneWorker(2, 8));
        _story.When(stamp => new DeployModel(stamp, Model("n", 8)) { Pins = [new Assignment(Id(1), "n", Range(0, 8))] });
        _story.When(stamp => new DeployModel(stamp, Model("m", 8)) { Pins = [Pin(2, 0, 3)] });

        _story.When(stamp => new DeployModel(stamp, Model("m", 8)));
        Assert.Equal(2, _story.State.Pins.Length);

        _story.When(stamp => new DeployModel(stamp, Model("m", 8)) { Pins = [Pin(1, 0, 4)] });
        Assert.Equal([Pin(1, 0, 4), new Assignment(Id(1), "n", Range(0, 8))], _story.State.Pins);

        _story.When(stamp => new DeployModel(stamp, Model("m", 8)) { Pins = [] });
        Assert.Equal("n", Assert.Single(_story.State.Pins).Model);
    }

    [Fact]
    public void Deploy_WithPinsOnOtherWeights_KeepsTheNewPins()
    {
        _story.Swarm = Of(OneWorker(1, 8), OneWorker(2, 8));
        _story.When(stamp => new DeployModel(stamp, Model("m", 8)) { Pins = [Pin(2, 0, 3)] });

        _story.When(stamp => new DeployModel(stamp, Model("m", 8, "beef")) { Pins = [Pin(1, 0, 8)] });

        Assert.Equal([Pin(1, 0, 8)], _story.State.Pins);
        Assert.Equal("m: 1[0,8)", _story.Plan);
    }

    [Fact]
    public void Deploy_WithPinsThatCannotBe_IsRefusedAsAWhole()
    {
        _story.Swarm = Of(OneWorker(1, 8), View(new WorkerRecord(Record(2, 8)) { Phase = WorkerPhase.Draining }));
        Refusal? Refused(Assignment pin) => _story.When(stamp => new DeployModel(stamp, Model("m", 8)) { Pins = [Pin(1, 0, 4), pin] }).Refusal;

        Assert.Equal(RefusalKind.Invalid, Refused(Pin(1, 4, 9))!.Kind);
        Assert.Equal(RefusalKind.Invalid, Refused(Pin(1, 4, 4))!.Kind);
        Assert.Equal(RefusalKind.NotFound, Refused(Pin(3, 4, 8))!.Kind);
        Assert.Equal(RefusalKind.Invalid, Refused(Pin(2, 4, 8))!.Kind);
        _story.Context = _story.Context with { Settings = _story.Context.Settings with { MostMarks = 1 } };
        Assert.Equal(RefusalKind.TooMany, Refused(Pin(1, 4, 8))!.Kind);
        Assert.Equal(0, _story.State.Version);
    }

    [Fact]
    public void Deploy_TheSameAgain_PlansNothingNew()
    {
        // A founder that is started again says the same as before.
        _story.Swarm = Of(OneWorker(1, 8), OneWorker(2, 8));
        ImmutableArray<Assignment> pins = [Pin(2, 0, 3), Pin(1, 3, 8)];
        _story.When(stamp => new DeployModel(stamp, Model("m", 8)) { Pins = pins });

        Assert.Equal([typeof(ModelDeployed)], Types(_story.When(stamp => new DeployModel(stamp, Model("m", 8)) { Pins = pins }).Events));
    }

    [Fact]
    public void Observed_WorkerGone_OthersTakeOver()
    {
        _story.Swarm = Of(OneWorker(1, 8, Shard("m", 0, 8, 8)), OneWorker(2, 8));
        _story.When(stamp => new DeployModel(stamp, Model("m", 8)));

        var events = _story.WhenObserved(Of(OneWorker(2, 8)));

        Assert.Equal([typeof(PlanChanged)], Types(events));
        Assert.Equal("m: 2[0,8)", _story.Plan);
        _story.WhenObserved(SwarmView.Empty);
        Assert.Equal("m lacks 800", _story.Plan);
        _story.WhenObserved(Of(OneWorker(3, 8)));
        Assert.Equal("m: 3[0,8)", _story.Plan);
    }

    [Fact]
    public void Observed_SameIdStartedAnew_IsPlannedAnew()
    {
        _story.Swarm = Of(OneWorker(1, 8));
        _story.When(stamp => new DeployModel(stamp, Model("m", 8)));

        var again = _story.WhenObserved(Of(View(new WorkerRecord(Record(1, 8)) { Incarnation = 2 })));

        Assert.Equal(2, Assert.IsType<PlanChanged>(Assert.Single(again)).Incarnations[Id(1)]);
        var smaller = _story.WhenObserved(Of(View(new WorkerRecord(Record(1, 4)) { Incarnation = 3 }), OneWorker(2, 8)));
        Assert.Equal([typeof(PlanChanged)], Types(smaller));
        Assert.Equal("m: 2[0,8)", _story.Plan);
    }

    [Fact]
    public void Observed_WorkersThatAreNotReady_GetNothing()
    {
        _story.Swarm = Of(View(new WorkerRecord(Record(1, 8)) { Phase = WorkerPhase.Joining }));
        _story.When(stamp => new DeployModel(stamp, Model("m", 8)));
        Assert.Equal("m lacks 800", _story.Plan);

        _story.WhenObserved(Of(OneWorker(1, 8)));
        Assert.Equal("m: 1[0,8)", _story.Plan);
        _story.WhenObserved(Of(View(new WorkerRecord(Record(1, 8, Shard("m", 0, 8, 8))) { Phase = WorkerPhase.Draining }), OneWorker(2, 8)));
        Assert.Equal("m: 2[0,8)", _story.Plan);
    }

    [Fact]
    public void Observed_PlanUnderWay_CountsAsHeldAndDoesNotFlap()
    {
        // The planner would prefer 2 to 1 if nobody held anything; worker 1 has been told first and has not answered yet.
        _story.Swarm = Of(View(new WorkerRecord(Record(1, 8)) { Follows = null }));
        _story.When(stamp => new DeployModel(stamp, Model("m", 8)));
        var larger = OneWorker(2, 20);

        Assert.Empty(_story.WhenObserved(Of(View(new WorkerRecord(Record(1, 8)) { Follows = null }), larger)));
        var version = new PlanVersion { Term = 1, Version = _story.State.Placed!.Version };
        Assert.Empty(_story.WhenObserved(Of(
            View(new WorkerRecord(Record(1, 8, Shard("m", 0, 8, 8, ShardState.Loading))) { Follows = version, Phase = WorkerPhase.Loading }), larger)));
        Assert.Empty(_story.WhenObserved(Of(View(new WorkerRecord(Record(1, 8, Shard("m", 0, 8, 8))) { Follows = version }), larger)));

        // But what it has noted and neither loads nor serves, it does not hold.
        _story.WhenObserved(Of(View(new WorkerRecord(Record(1, 8)) { Follows = version }), larger));
        Assert.Equal("m: 2[0,8)", _story.Plan);
    }

    [Fact]
    public void Observed_ServedPlacement_IsKeptByASchedulerThatKnowsNoPlan()
    {
        // A store that was lost: the workers go on serving, in an order that the planner would not choose.
        _story.Swarm = Of(OneWorker(1, 5, Shard("m", 4, 8, 8)), OneWorker(2, 5, Shard("m", 0, 4, 8)), OneWorker(3, 20));

        var decision = _story.When(stamp => new DeployModel(stamp, Model("m", 8)));

        Assert.Equal("m: 2[0,4) 1[4,8)", _story.Plan);
        Assert.Empty(((PlanChanged)decision.Events[1]).Moves);
    }

    [Fact]
    public void Observed_BeforeAllWorkersAreKnown_NothingIsPlanned()
    {
        _story.Swarm = Of(OneWorker(1, 8));
        _story.When(stamp => new DeployModel(stamp, Model("m", 8)));
        _story.When(stamp => new DrainWorker(stamp, Id(1)));
        var plan = _story.Plan;
        _story.Context = _story.Context with { MayPlan = false };

        Assert.Empty(_story.WhenObserved(SwarmView.Empty));
        Assert.Equal([typeof(ModelDeployed)], Types(_story.When(stamp => new DeployModel(stamp, Model("n", 8))).Events));
        Assert.Equal(RefusalKind.NotYet, _story.When(stamp => new Rebalance(stamp)).Refusal!.Kind);
        Assert.Equal(plan, _story.Plan);
    }

    [Fact]
    public void Evolve_AnyEventAfterAny_IsTotal()
    {
        var stamp = new CommandStamp("c", "d");
        SchedulerEvent[] events =
        [
            new TermStarted(3, "s"), new ModelRetired(stamp, "x"), new WorkerDrained(stamp, "w", 1), new WorkerRemoved(stamp, "w", 1),
            new ShardPinned(stamp, new Assignment("w", "x", Range(5, 2))), new ShardUnpinned(stamp, "v", "y"), new RebalanceAsked(stamp),
            new WorkerReturned("v", 2), new WorkerLeft("v"), new UnreadableEvent("t", "p"),
            new PlanChanged(new AllocationPlan([], [], [], [], []), [], SchedulerState.Map<long>(), Story.Now, ""), new ModelDeployed(stamp, Model("x", 1)),
        ];
        foreach (var first in events)
        {
            foreach (var second in events)
            {
                Assert.Equal(2, Evolution.Evolve(SchedulerState.Empty, [first, second]).Version);
            }
        }
    }

    [Fact]
    public void TermStarted_IsWhatThePlanCarries()
    {
        _story.Given(new TermStarted(4, "s"), new TermStarted(5, "t"));

        var record = Parallax.Scheduler.Workflow.PlanRecords.Of(_story.State);
        Assert.Equal((5, 2, "t"), (record.Term, record.Version, record.Scheduler));
    }

    private static Assignment Pin(int worker, int start, int end) => new(Id(worker), "m", Range(start, end));

    private static Type[] Types(IEnumerable<SchedulerEvent> events) => [.. events.Select(static happened => happened.GetType())];
}
