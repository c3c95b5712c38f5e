using System.Collections.Immutable;
using System.Globalization;
using Parallax.Placement.Costs;
using Parallax.Placement.Pipelines;

namespace Parallax.Placement.Planning;

/// <summary>Turns a draft into the plan that others see, and says why it is so.</summary>
internal static class PlanPublisher
{
    /// <summary>Nodes whose standing by is explained one by one, at most.</summary>
    private const int MostExplained = 32;

    public static AllocationPlan Publish(Draft draft, IEnumerable<Shortage> shortages)
    {
        var work = draft.Work;
        var pipelines = ImmutableArray.CreateBuilder<PlannedPipeline>();
        var replicas = ImmutableArray.CreateBuilder<Assignment>();
        var reasons = new List<string>();
        for (var at = 0; at < work.Models.Length; at++)
        {
            var name = work.Models[at].Name;
            var sorted = draft.Pipelines[at].OrderBy(static pipeline => pipeline.Head.Index).ToList();
            pipelines.AddRange(sorted.Select(pipeline => pipeline.ToPlan(name)));
            replicas.AddRange(draft.Replicas[at]
                .OrderBy(static stage => stage.Range.Start)
                .ThenBy(static stage => stage.Room.Index)
                .Select(stage => new Assignment(stage.Room.Id, name, stage.Range)));
            Explain(work, at, sorted, draft.Replicas[at].Count, reasons);
        }

        var standby = work.Rooms.Where(room => !work.IsBusy(room)).ToList();
        reasons.AddRange(draft.Reasons);
        reasons.AddRange(standby.Take(MostExplained).Select(room => Explain(work, room)));
        if (standby.Count > MostExplained)
        {
            reasons.Add(string.Create(CultureInfo.InvariantCulture, $"{standby.Count - MostExplained} more nodes stand by."));
        }

        return new AllocationPlan(
            pipelines.ToImmutable(),
            replicas.ToImmutable(),
            [.. standby.Select(static room => room.Id)],
            [.. shortages],
            [.. reasons]);
    }

    private static void Explain(Workspace work, int at, List<Pipeline> pipelines, int replicas, List<string> reasons)
    {
        var costs = work.Models[at];
        if (pipelines.Count == 0)
        {
            return;
        }

        var score = ModelPlanner.ScoreOf(pipelines);
        var copies = replicas == 0 ? "" : string.Create(CultureInfo.InvariantCulture, $", {replicas} warm cop{(replicas == 1 ? "y" : "ies")}");
        reasons.Add(string.Create(CultureInfo.InvariantCulture,
            $"{costs.Name}: {Count(score.Pipelines, "pipeline")} over {Count(score.Stages, "node")} (pipelines squared by nodes: {score.Z:0.###}){copies}."));
        var slowest = pipelines
            .SelectMany(static pipeline => pipeline.Stages)
            .Select(stage => (stage.Room.Id, stage.Range, Time: costs.BatchMilliseconds(stage.Room, stage.Range)))
            .MaxBy(static one => one.Time);
        reasons.Add(string.Create(CultureInfo.InvariantCulture,
            $"{costs.Name}: the slowest stage is {slowest.Range} on {slowest.Id}, {slowest.Time:0.###} ms for a batch of {costs.Batch}."));
    }

    private static string Explain(Workspace work, NodeRoom room)
    {
        if (room.Node.IsDraining)
        {
            return $"{room.Id} leaves and gets nothing.";
        }

        var most = work.Models.Where(static costs => costs.Layers > 0).Select(costs => costs.Capacity(room)).Select(static capacity => capacity.Plain).DefaultIfEmpty(0).Max();
        return most < 1
            ? $"{room.Id} stands by: not one layer fits into its memory."
            : $"{room.Id} stands by: no pipeline that it could complete or copy would raise the throughput.";
    }

    private static string Count(int count, string what) => string.Create(CultureInfo.InvariantCulture, $"{count} {what}{(count == 1 ? "" : "s")}");
}
