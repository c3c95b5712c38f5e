using System.Globalization;
using Parallax.Contracts.V1;
using Parallax.Placement;
using Parallax.Scheduler.Planning;

namespace Parallax.Scheduler.Commands;

/// <summary>Looks at the swarm for what a command asked for. Pure.</summary>
internal static class CommandObservation
{
    /// <param name="command">The command, with workers named by their ids.</param>
    /// <param name="state">What was decided.</param>
    /// <param name="swarm">What was observed, as planning sees it.</param>
    /// <param name="records">What the workers that count as present say of themselves.</param>
    public static CommandProgress Of(PlanCommand command, SchedulerState state, SwarmView swarm, IReadOnlyCollection<WorkerRecord> records) => command switch
    {
        DeployModel deploy => Deployed(deploy.Model.Name, state, swarm),
        RetireModel retire => Retired(retire.Model, state, records),
        DrainWorker drain => Drained(drain.Worker, state, records),
        PinShard pin => Pinned(pin.Pin, state, swarm),
        Rebalance => Settled(state, swarm),
        _ => new CommandProgress.Done("it holds from now on"), // removals and unpinnings are facts of the plan alone
    };

    private static CommandProgress Deployed(string model, SchedulerState state, SwarmView swarm)
    {
        if (!state.Models.ContainsKey(model))
        {
            return new CommandProgress.Superseded($"Model {model} was retired before all of it was served.");
        }

        var stages = state.Placed?.Plan.Pipelines.Where(pipeline => pipeline.Model == model).SelectMany(static pipeline => pipeline.Stages).ToList() ?? [];
        if (stages.Count == 0)
        {
            var shortage = state.Placed?.Plan.Shortages.FirstOrDefault(one => one.Model == model)?.Text;
            return new CommandProgress.Pending(shortage is null ? $"model {model} had no place yet" : $"model {model} had no place: {shortage}");
        }

        return Served(stages, state, swarm) ?? (CommandProgress)new CommandProgress.Done($"{Count(stages.Count, "shard")} of {model} serve");
    }

    private static CommandProgress Settled(SchedulerState state, SwarmView swarm)
    {
        var stages = state.Placed?.Plan.Pipelines.SelectMany(static pipeline => pipeline.Stages).ToList() ?? [];
        return Served(stages, state, swarm) ?? (CommandProgress)new CommandProgress.Done($"{Count(stages.Count, "shard")} serve as planned");
    }

    private static CommandProgress Retired(string model, SchedulerState state, IReadOnlyCollection<WorkerRecord> records)
    {
        if (state.Models.ContainsKey(model))
        {
            return new CommandProgress.Superseded($"Model {model} was deployed again before all of it was unloaded.");
        }

        var holders = records.Count(record => record.Shards.Any(shard => shard.Model?.Name == model));
        return holders == 0
            ? new CommandProgress.Done($"no worker holds anything of {model}")
            : new CommandProgress.Pending($"{Count(holders, "worker")} still held layers of {model}");
    }

    private static CommandProgress Drained(string worker, SchedulerState state, IReadOnlyCollection<WorkerRecord> records)
    {
        var record = records.FirstOrDefault(one => one.WorkerId == worker);
        if (record is null)
        {
            return new CommandProgress.Done($"worker {worker} has left");
        }

        if (!state.Draining.TryGetValue(worker, out var incarnation) || record.Incarnation > incarnation)
        {
            return new CommandProgress.Done($"worker {worker} has left, and come back anew");
        }

        if (state.Placed?.Plan.Assignments().Any(one => one.Node == worker) == true)
        {
            var shortage = state.Placed.Plan.Shortages.FirstOrDefault()?.Text;
            return new CommandProgress.Pending($"the plan still had layers on worker {worker}{(shortage is null ? "" : $": {shortage}")}");
        }

        var sessions = record.Shards.Sum(static shard => (long)shard.Sessions + shard.WaitingSessions);
        return record.Shards.Count == 0
            ? new CommandProgress.Done($"worker {worker} holds no layers and no sessions")
            : new CommandProgress.Pending($"worker {worker} still held {Count(record.Shards.Count, "shard")} with {Count(sessions, "session")}");
    }

    private static CommandProgress Pinned(Assignment pin, SchedulerState state, SwarmView swarm)
    {
        if (!state.Pins.Contains(pin))
        {
            return new CommandProgress.Superseded($"The pin of {pin.Model} to worker {pin.Node} was taken away before it was served there.");
        }

        return Served([pin], state, swarm) ?? (CommandProgress)new CommandProgress.Done($"worker {pin.Node} serves {pin.Model} {pin.Range}");
    }

    /// <summary>Null when all of them serve.</summary>
    private static CommandProgress.Pending? Served(List<Assignment> stages, SchedulerState state, SwarmView swarm)
    {
        var missing = stages.Where(stage => !Serves(stage, state, swarm)).ToList();
        return missing.Count == 0
            ? null
            : new CommandProgress.Pending(
                $"{Count(stages.Count - missing.Count, "shard")} of {stages.Count.ToString(CultureInfo.InvariantCulture)} served; worker {missing[0].Node} did not serve {missing[0].Model} {missing[0].Range}");
    }

    private static bool Serves(Assignment stage, SchedulerState state, SwarmView swarm) =>
        state.Models.TryGetValue(stage.Model, out var model)
        && swarm.Workers.TryGetValue(stage.Node, out var worker)
        && worker.Shards.Any(shard => shard.IsServing && shard.Model == model.Class && shard.Range == stage.Range);

    private static string Count(long count, string what) => $"{count.ToString(CultureInfo.InvariantCulture)} {what}{(count == 1 ? "" : "s")}";
}
