using System.Collections.Immutable;
using Parallax.Contracts.Identifiers;
using Parallax.Placement;

namespace Parallax.UnitTests.Scheduler;

/// <summary>
/// A plain planner: one pipeline per model, built from the head on; pins first, then what is held already, then the roomiest node
/// that is free. Moves nothing that fits into a chain.
/// </summary>
internal static class ChainPlanner
{
    public static Replanning Replan(
        ImmutableArray<ModelDemand> models, ClusterSnapshot cluster, ImmutableArray<Assignment> current, AllocationOptions options)
    {
        var all = cluster.Nodes.ToDictionary(static node => node.Id);
        var free = cluster.Nodes.Where(static node => !node.IsDraining).ToDictionary(static node => node.Id);
        var pipelines = new List<PlannedPipeline>();
        var shortages = new List<Shortage>();
        foreach (var model in models.OrderBy(static model => model.Shape.Name, StringComparer.Ordinal))
        {
            var stages = Chain(model, free, current) ?? Chain(model, all, current);
            if (stages is null)
            {
                var missing = (model.Shape.Layers.Length * LayerBytes(model)) - free.Values.Sum(static node => node.MemoryBytes);
                shortages.Add(new Shortage(model.Shape.Name, "memory", Math.Max(1, missing), $"{model.Shape.Name} lacks {Math.Max(1, missing)} bytes."));
                continue;
            }

            foreach (var stage in stages)
            {
                all.Remove(stage.Node);
                free.Remove(stage.Node);
            }

            pipelines.Add(new PlannedPipeline(model.Shape.Name, [.. stages], stages.Count, 100.0 / stages.Count));
        }

        var used = pipelines.SelectMany(static pipeline => pipeline.Stages).ToList();
        var moves =
            from node in used.Concat(current).Select(static one => (one.Node, one.Model)).Distinct()
            let before = current.FirstOrDefault(one => (one.Node, one.Model) == node)?.Range
            let after = used.FirstOrDefault(one => (one.Node, one.Model) == node)?.Range
            where before != after
            orderby node
            select new Move(node.Node, node.Model, before, after, 0);
        var plan = new AllocationPlan(
            [.. pipelines],
            [],
            [.. cluster.Nodes.Select(static node => node.Id).Except(used.Select(static one => one.Node)).Order(StringComparer.Ordinal)],
            [.. shortages],
            [$"{pipelines.Count} chains"]);
        return new Replanning(plan, [.. moves]);
    }

    private static long LayerBytes(ModelDemand model) => model.Shape.Layers[0].WeightBytes;

    private static List<Assignment>? Chain(ModelDemand model, Dictionary<string, PlacementNode> nodes, ImmutableArray<Assignment> current)
    {
        var held = model.Pins.Concat(current.Where(one => one.Model == model.Shape.Name && model.Pins.All(pin => pin.Node != one.Node)))
            .Where(one => nodes.TryGetValue(one.Node, out var node) && one.Range.Count * LayerBytes(model) <= node.MemoryBytes)
            .OrderByDescending(model.Pins.Contains).ThenByDescending(static one => one.Range.Count).ThenBy(static one => one.Node, StringComparer.Ordinal)
            .ToList();
        if (model.Pins.Length == 0 && Kept(held, 0, model.Shape.Layers.Length) is { } kept)
        {
            return kept;
        }

        var stages = new List<Assignment>();
        var at = 0;
        while (at < model.Shape.Layers.Length)
        {
            var next = held.FirstOrDefault(one => one.Range.Start == at && stages.All(stage => stage.Node != one.Node));
            if (next is null)
            {
                var until = held.Select(static one => one.Range.Start).Where(start => start > at).Append(model.Shape.Layers.Length).Min();
                next = nodes.Values
                    .Where(node => !node.IsDraining && stages.All(stage => stage.Node != node.Id) && model.Pins.All(pin => pin.Node != node.Id))
                    .OrderBy(node => held.Any(one => one.Node == node.Id)).ThenByDescending(static node => node.MemoryBytes).ThenBy(static node => node.Id, StringComparer.Ordinal)
                    .Select(node => new Assignment(node.Id, model.Shape.Name, new LayerRange(at, Math.Min(until, at + (int)(node.MemoryBytes / LayerBytes(model))))))
                    .FirstOrDefault(static one => one.Range.Count > 0);
            }

            if (next is null)
            {
                return null;
            }

            stages.Add(next);
            at = next.Range.End;
        }

        return stages;
    }

    /// <summary>The first chain of what is held from a layer on; null when there is none.</summary>
    private static List<Assignment>? Kept(List<Assignment> held, int start, int end)
    {
        if (start == end)
        {
            return [];
        }

        foreach (var first in held.Where(one => one.Range.Start == start))
        {
            if (Kept(held, first.Range.End, end) is { } rest)
            {
                return [first, .. rest];
            }
        }

        return null;
    }
}
