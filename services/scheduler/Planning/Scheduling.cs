using System.Collections.Immutable;

namespace Parallax.Scheduler.Planning;

/// <summary>What a scheduler decides. Pure: the same state, observation and context give the same events.</summary>
internal static class Scheduling
{
    /// <summary>What follows from what was observed.</summary>
    public static ImmutableArray<SchedulerEvent> Decide(SchedulerState state, SwarmView swarm, PlanningContext context, string cause)
    {
        var events = ImmutableArray.CreateBuilder<SchedulerEvent>();
        foreach (var (id, incarnation) in state.Draining.Concat(state.Removed).OrderBy(static mark => mark.Key, StringComparer.Ordinal))
        {
            if (swarm.Workers.TryGetValue(id, out var worker) && worker.Incarnation > incarnation)
            {
                events.Add(new WorkerReturned(id, worker.Incarnation));
            }
            else if (worker is null && context.MayPlan && state.Draining.ContainsKey(id))
            {
                events.Add(new WorkerLeft(id));
            }
        }

        if (context.MayPlan)
        {
            events.AddRange(Planner.Changes(Evolution.Evolve(state, events), swarm, context, cause));
        }

        return events.ToImmutable();
    }

    /// <summary>What follows from a command: its own event, and the plan that it leads to.</summary>
    public static Decision Decide(SchedulerState state, PlanCommand command, SwarmView swarm, PlanningContext context)
    {
        if (state.Commands.ById.TryGetValue(command.Stamp.Id, out var known))
        {
            return known.Digest == command.Stamp.Digest
                ? new Decision([], null, IsRepeat: true)
                : Decision.Refused(RefusalKind.Conflict, $"Command '{command.Stamp.Id}' was another command before; give each command an id of its own.");
        }

        var (happened, refusal) = command switch
        {
            DeployModel deploy => Deploy(state, deploy, swarm, context.Settings),
            RetireModel retire => Retire(state, retire),
            DrainWorker drain => Drain(state, drain, swarm),
            RemoveWorker remove => Remove(state, remove, swarm, context.Settings),
            PinShard pin => Pin(state, pin, swarm, context.Settings),
            UnpinShard unpin => Unpin(state, unpin),
            Rebalance rebalance => context.MayPlan
                ? Then(new RebalanceAsked(rebalance.Stamp))
                : Refuse(RefusalKind.NotYet, "This scheduler has just started and waits for the workers' records; try again in a few seconds."),
            _ => throw new ArgumentException($"A {command.GetType().Name} is no command.", nameof(command)),
        };
        if (happened is null)
        {
            return new Decision([], refusal, false);
        }

        return context.MayPlan
            ? Decision.Of([happened, .. Planner.Changes(Evolution.Evolve(state, happened), swarm, context, Cause(command), command is Rebalance)])
            : Decision.Of([happened]);
    }

    private static (CommandEvent?, Refusal?) Then(CommandEvent happened) => (happened, null);

    private static (CommandEvent?, Refusal?) Refuse(RefusalKind kind, string message) => (null, new Refusal(kind, message));

    private static string Cause(PlanCommand command) => command switch
    {
        DeployModel deploy => $"model {deploy.Model.Name} was deployed",
        RetireModel retire => $"model {retire.Model} was retired",
        DrainWorker drain => $"worker {drain.Worker} was drained",
        RemoveWorker remove => $"worker {remove.Worker} was removed",
        PinShard pin => $"{pin.Pin.Model} {pin.Pin.Range} was pinned to worker {pin.Pin.Node}",
        UnpinShard unpin => $"{unpin.Model} was unpinned from worker {unpin.Worker}",
        _ => "a rebalance was asked for",
    };

    private static (CommandEvent?, Refusal?) Deploy(SchedulerState state, DeployModel command, SwarmView swarm, SchedulerSettings settings)
    {
        var model = command.Model;
        if (!state.Models.ContainsKey(model.Name) && state.Models.Count >= settings.MostModels)
        {
            return Refuse(RefusalKind.TooMany, $"{state.Models.Count} models are deployed, which is the limit; retire one first.");
        }

        var pins = command.Pins ?? [];
        var others = state.Pins.Count(pin => pin.Model != model.Name);
        var refusal = pins.Select(pin => PinCheck.Refuse(pin, model, state, swarm)).FirstOrDefault(static one => one is not null)
            ?? (others + pins.Length > settings.MostMarks ? PinCheck.TooMany(others) : null);
        return refusal is null ? Then(new ModelDeployed(command.Stamp, model) { Pins = command.Pins }) : (null, refusal);
    }

    private static (CommandEvent?, Refusal?) Retire(SchedulerState state, RetireModel command) =>
        state.Models.ContainsKey(command.Model)
            ? Then(new ModelRetired(command.Stamp, command.Model))
            : Refuse(RefusalKind.NotFound, UnknownModel(state, command.Model));

    private static (CommandEvent?, Refusal?) Drain(SchedulerState state, DrainWorker command, SwarmView swarm) =>
        swarm.Workers.TryGetValue(command.Worker, out var worker) && !PlanRequest.IsRemoved(state, worker)
            ? Then(new WorkerDrained(command.Stamp, command.Worker, worker.Incarnation))
            : Refuse(RefusalKind.NotFound, PinCheck.UnknownWorker(command.Worker, swarm));

    private static (CommandEvent?, Refusal?) Remove(SchedulerState state, RemoveWorker command, SwarmView swarm, SchedulerSettings settings)
    {
        long? incarnation = swarm.Workers.TryGetValue(command.Worker, out var worker) ? worker.Incarnation
            : state.Placed?.Incarnations.TryGetValue(command.Worker, out var planned) == true ? planned
            : state.Draining.TryGetValue(command.Worker, out var drained) ? drained
            : null;
        if (incarnation is not { } meant)
        {
            return Refuse(RefusalKind.NotFound, PinCheck.UnknownWorker(command.Worker, swarm));
        }

        return state.Removed.Count >= settings.MostMarks && !state.Removed.ContainsKey(command.Worker)
            ? Refuse(RefusalKind.TooMany, $"{state.Removed.Count} workers are removed already, which is the limit.")
            : Then(new WorkerRemoved(command.Stamp, command.Worker, meant));
    }

    private static (CommandEvent?, Refusal?) Pin(SchedulerState state, PinShard command, SwarmView swarm, SchedulerSettings settings)
    {
        var pin = command.Pin;
        if (!state.Models.TryGetValue(pin.Model, out var model))
        {
            return Refuse(RefusalKind.NotFound, UnknownModel(state, pin.Model));
        }

        var refusal = PinCheck.Refuse(pin, model, state, swarm) ?? (state.Pins.Length >= settings.MostMarks ? PinCheck.TooMany(state.Pins.Length) : null);
        return refusal is null ? Then(new ShardPinned(command.Stamp, pin)) : (null, refusal);
    }

    private static (CommandEvent?, Refusal?) Unpin(SchedulerState state, UnpinShard command) =>
        state.Pins.Any(pin => pin.Node == command.Worker && pin.Model == command.Model)
            ? Then(new ShardUnpinned(command.Stamp, command.Worker, command.Model))
            : Refuse(RefusalKind.NotFound, $"Nothing of {command.Model} is pinned to worker {command.Worker}.");

    private static string UnknownModel(SchedulerState state, string model) => state.Models.IsEmpty
        ? $"Model '{model}' is not deployed; none is."
        : $"Model '{model}' is not deployed; deployed are {string.Join(", ", state.Models.Keys.Take(16))}.";
}
