using System.Collections.Immutable;
using System.Text.Json;
using Parallax.Placement;
using Parallax.Scheduler.Planning;
using Parallax.Scheduler.Workflow;

namespace Parallax.UnitTests.Scheduler;

/// <summary>Given events and a swarm, when something is decided, then these events.</summary>
/// <param name="planner">Placement; null for the plain one of these tests.</param>
internal sealed class Story(Replan? planner = null)
{
    private int _commands;

    public static readonly DateTimeOffset Now = new(2030, 1, 1, 0, 0, 0, TimeSpan.Zero);

    public SchedulerState State { get; private set; } = SchedulerState.Empty;

    public SwarmView Swarm { get; set; } = SwarmView.Empty;

    public PlanningContext Context { get; set; } = new(Now, MayPlan: true, StallWatch.Empty, new SchedulerSettings(), planner ?? ChainPlanner.Replan);

    /// <summary>All that has happened.</summary>
    public List<SchedulerEvent> History { get; } = [];

    public CommandStamp NextStamp() => new($"c{++_commands}", "d");

    public Story Given(params SchedulerEvent[] events)
    {
        History.AddRange(events);
        State = Evolution.Evolve(State, events);
        return this;
    }

    /// <summary>Decides a command and lets what follows happen.</summary>
    public Decision When(Func<CommandStamp, PlanCommand> command) => When(command(NextStamp()));

    public Decision When(PlanCommand command)
    {
        var decision = Scheduling.Decide(State, command, Swarm, Context);
        Given([.. decision.Events]);
        return decision;
    }

    /// <summary>Looks at the swarm and lets what follows happen.</summary>
    public ImmutableArray<SchedulerEvent> WhenObserved(SwarmView swarm)
    {
        Swarm = swarm;
        var events = Scheduling.Decide(State, Swarm, Context, "test");
        Given([.. events]);
        return events;
    }

    /// <summary>The present plan as text: <c>model: 1[0,4) 2[4,8)</c>.</summary>
    public string Plan => State.Placed is null ? "none" : Text(State.Placed.Plan);

    public static string Text(AllocationPlan plan) => string.Join("; ", plan.Pipelines
        .Select(static pipeline => $"{pipeline.Model}: {string.Join(' ', pipeline.Stages.Select(static stage => $"{Number(stage.Node)}{stage.Range}"))}")
        .Concat(plan.Shortages.Select(static shortage => $"{shortage.Model} lacks {shortage.Missing}")));

    /// <summary>A state as text: equal states have equal texts.</summary>
    public static string Text(SchedulerState state) => string.Join('\n',
        $"{state.Term}.{state.Version} {state.Scheduler}",
        string.Join(';', state.Models.Values.Select(static model => JsonSerializer.Serialize(model.Shape))),
        string.Join(';', state.Models.Values.Select(static model => (model with { Shape = Swarms.Shape(model.Name, 1) }).ToString())),
        string.Join(';', state.Pins),
        string.Join(';', state.Draining),
        string.Join(';', state.Removed),
        state.Placed is { } placed
            ? $"{placed.Version} {placed.DecidedAt:O} {placed.Cause} {Text(placed.Plan)} {string.Join(';', placed.Moves)} {string.Join(';', placed.Incarnations)} {string.Join(';', placed.Plan.Reasons)} {string.Join(';', placed.Plan.Standby)} {string.Join(';', placed.Plan.Pipelines.Select(static pipeline => (pipeline.LatencyMs, pipeline.TokensPerSecond)))}"
            : "",
        string.Join(';', state.Commands.InOrder.Select(id => (id, state.Commands.ById[id]))),
        state.Commands.ById.Count);

    /// <summary>What a scheduler makes of the events that another has stored.</summary>
    public static SchedulerState Replay(IEnumerable<SchedulerEvent> history) => Evolution.Evolve(
        SchedulerState.Empty,
        history.Select(static happened =>
        {
            var stored = EventCodec.Encode(happened);
            return EventCodec.Decode(stored.Type, stored.Payload);
        }));

    private static int Number(string id) => int.Parse(id.AsSpan(id.Length - 6), System.Globalization.NumberStyles.HexNumber, System.Globalization.CultureInfo.InvariantCulture);
}
