using System.Collections.Immutable;
using System.Globalization;
using Parallax.Placement.Costs;
using Parallax.Placement.Pipelines;
using Parallax.Placement.Planning;

namespace Parallax.Placement;

/// <summary>Checks a plan against what nodes really have, whoever made it.</summary>
public static class PlanCheck
{
    /// <summary>What is wrong with a plan, a sentence each; empty where it can be carried out.</summary>
    public static ImmutableArray<string> Violations(ImmutableArray<ModelDemand> models, ClusterSnapshot cluster, AllocationPlan plan)
    {
        ArgumentNullException.ThrowIfNull(cluster);
        ArgumentNullException.ThrowIfNull(plan);
        var work = new Workspace(models, cluster, new AllocationOptions());
        var problems = new List<string>();
        var demands = work.Models.ToDictionary(static costs => costs.Name, StringComparer.Ordinal);
        var used = new Dictionary<NodeRoom, MemoryNeed>();
        var seen = new HashSet<(string, string)>();
        foreach (var one in plan.Assignments())
        {
            if (work.Room(one.Node) is not { } room)
            {
                problems.Add($"{one.Node} is no node of the cluster.");
            }
            else if (!demands.TryGetValue(one.Model, out var costs))
            {
                problems.Add($"{one.Node} gets {one.Model}, which is not to be served.");
            }
            else if (!Workspace.IsRange(costs, one.Range))
            {
                problems.Add($"{one.Node} gets {one.Range} of {one.Model}, which has [0,{costs.Layers}).");
            }
            else if (!seen.Add((one.Node, one.Model)))
            {
                problems.Add($"{one.Node} stands at two places of {one.Model}.");
            }
            else
            {
                var (before, need) = (used.GetValueOrDefault(room), costs.Need(one.Range, room.Factor));
                used[room] = new MemoryNeed(before.Weights + need.Weights, before.Total + need.Total);
            }
        }

        foreach (var (room, need) in used.Where(static one => one.Value.Total > one.Key.Memory || one.Value.Weights > one.Key.WeightLimit))
        {
            problems.Add(string.Create(CultureInfo.InvariantCulture,
                $"{room.Id} is to hold {need.Weights} bytes of weights, {need.Total} in all, and has {room.WeightLimit} and {room.Memory}."));
        }

        foreach (var pipeline in plan.Pipelines)
        {
            Check(work, demands, pipeline, problems);
        }

        foreach (var costs in work.Models)
        {
            var count = plan.Pipelines.Count(pipeline => pipeline.Model == costs.Name);
            if (count > Workspace.MostPipelines(costs))
            {
                problems.Add(string.Create(CultureInfo.InvariantCulture, $"{costs.Name} has {count} pipelines and may have {Workspace.MostPipelines(costs)}."));
            }
        }

        return [.. problems];
    }

    private static void Check(Workspace work, Dictionary<string, ModelCosts> demands, PlannedPipeline pipeline, List<string> problems)
    {
        var name = $"The pipeline of {pipeline.Model} that begins at {(pipeline.Stages.IsDefaultOrEmpty ? "nobody" : pipeline.Stages[0].Node)}";
        var at = 0;
        foreach (var stage in pipeline.Stages)
        {
            if (stage.Model != pipeline.Model || stage.Range.Start != at)
            {
                problems.Add($"{name} does not go on at layer {at}: {stage.Node} holds {stage.Range} of {stage.Model}.");
            }

            at = stage.Range.End;
        }

        if (demands.TryGetValue(pipeline.Model, out var costs) && at != costs.Layers)
        {
            problems.Add($"{name} ends at layer {at} of {costs.Layers}.");
        }

        var rooms = pipeline.Stages.Select(stage => work.Room(stage.Node)).ToArray();
        if (rooms.All(static room => room is not null) && !RingOrder.IsReachable(work.Links, rooms!))
        {
            problems.Add($"{name} has neighbours that cannot reach each other.");
        }
    }
}
