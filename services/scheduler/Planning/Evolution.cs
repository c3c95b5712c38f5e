using System.Collections.Immutable;
using Parallax.Placement;

namespace Parallax.Scheduler.Planning;

/// <summary>What events make of the state. Total: any event can follow any state, so that replay cannot fail.</summary>
internal static class Evolution
{
    public static SchedulerState Evolve(SchedulerState state, SchedulerEvent happened)
    {
        state = state with { Version = state.Version + 1 };
        if (happened is CommandEvent command)
        {
            state = state with { Commands = state.Commands.With(command.Stamp, state.Version) };
        }

        return happened switch
        {
            TermStarted started => state with { Term = started.Term, Scheduler = started.Scheduler },
            ModelDeployed deployed => Deploy(state, deployed.Model, deployed.Pins),
            ModelRetired retired => Forget(state, retired.Model) with { Models = state.Models.Remove(retired.Model) },
            WorkerDrained drained => state with { Draining = state.Draining.SetItem(drained.Worker, drained.Incarnation) },
            WorkerRemoved removed => state with
            {
                Removed = state.Removed.SetItem(removed.Worker, removed.Incarnation),
                Draining = state.Draining.Remove(removed.Worker),
            },
            ShardPinned pinned => state with
            {
                Pins = InOrder(Without(state.Pins, pinned.Pin.Node, pinned.Pin.Model).Append(pinned.Pin)),
            },
            ShardUnpinned unpinned => state with { Pins = [.. Without(state.Pins, unpinned.Worker, unpinned.Model)] },
            WorkerReturned returned => state with { Draining = state.Draining.Remove(returned.Worker), Removed = state.Removed.Remove(returned.Worker) },
            WorkerLeft left => state with { Draining = state.Draining.Remove(left.Worker) },
            PlanChanged changed => state with
            {
                Placed = new PlacedPlan(state.Version, changed.Plan, changed.Moves, changed.Incarnations, changed.DecidedAt, changed.Cause),
            },
            _ => state,
        };
    }

    public static SchedulerState Evolve(SchedulerState state, IEnumerable<SchedulerEvent> events) => events.Aggregate(state, Evolve);

    private static SchedulerState Deploy(SchedulerState state, DeployedModel model, ImmutableArray<Assignment>? pins)
    {
        if (state.Models.TryGetValue(model.Name, out var before) && before.Shape.WeightsHash != model.Shape.WeightsHash)
        {
            state = Forget(state, model.Name); // the old weights' places mean nothing for the new ones
        }

        return state with
        {
            Models = state.Models.SetItem(model.Name, model),
            Pins = pins is { } given
                ? InOrder(state.Pins.Where(pin => pin.Model != model.Name).Concat(given))
                : [.. state.Pins.Where(pin => pin.Model != model.Name || pin.Range.End <= model.Shape.Layers.Length)],
        };
    }

    private static SchedulerState Forget(SchedulerState state, string model) => state with
    {
        Pins = [.. state.Pins.Where(pin => pin.Model != model)],
        Placed = state.Placed is { } placed
            ? placed with
            {
                Plan = placed.Plan with
                {
                    Pipelines = [.. placed.Plan.Pipelines.Where(pipeline => pipeline.Model != model)],
                    Replicas = [.. placed.Plan.Replicas.Where(replica => replica.Model != model)],
                    Shortages = [.. placed.Plan.Shortages.Where(shortage => shortage.Model != model)],
                },
            }
            : null,
    };

    private static ImmutableArray<Assignment> InOrder(IEnumerable<Assignment> pins) =>
        [.. pins.OrderBy(static pin => pin.Model, StringComparer.Ordinal).ThenBy(static pin => pin.Node, StringComparer.Ordinal)];

    private static IEnumerable<Assignment> Without(ImmutableArray<Assignment> pins, string worker, string model) =>
        pins.Where(pin => pin.Node != worker || pin.Model != model);
}
