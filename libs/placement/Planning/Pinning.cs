using Parallax.Contracts.Identifiers;
using Parallax.Placement.Costs;
using Parallax.Placement.Pipelines;

namespace Parallax.Placement.Planning;

/// <summary>Pipelines through placements that must stay: pins that follow one another share one, other nodes fill its gaps.</summary>
internal static class Pinning
{
    /// <summary>Pins that can be kept: of this model, on a node that stays and has room; one per node.</summary>
    public static List<Stage> Sound(Workspace work, ModelCosts costs, List<string> reasons)
    {
        var pins = costs.Demand.Pins.IsDefault ? [] : costs.Demand.Pins;
        var sound = new List<Stage>();
        foreach (var pin in pins.Where(static pin => pin is not null).OrderBy(static pin => pin.Range.Start).ThenBy(static pin => pin.Range.End).ThenBy(static pin => pin.Node, StringComparer.Ordinal))
        {
            var room = work.Room(pin.Node);
            var problem =
                pin.Model != costs.Name ? $"it names the model {pin.Model}"
                : !Workspace.IsRange(costs, pin.Range) ? $"the model has layers [0,{costs.Layers})"
                : room is null ? "there is no such node"
                : room.Node.IsDraining ? "the node leaves"
                : sound.Any(stage => stage.Room == room) ? "the node is pinned to other layers"
                : !costs.Fits(room, pin.Range) ? "they do not fit into its memory"
                : null;
            if (problem is null)
            {
                sound.Add(new Stage(room!, pin.Range));
            }
            else
            {
                reasons.Add($"{costs.Name}: the pin of {pin.Range} on {pin.Node} is not kept: {problem}.");
            }
        }

        return sound;
    }

    /// <summary>Completes pins, which have been taken already, to pipelines; what cannot be completed stays as it is.</summary>
    public static List<Pipeline> Complete(Workspace work, ModelCosts costs, List<Stage> pins, int mostPipelines)
    {
        var chains = new List<List<Stage>>();
        foreach (var pin in pins)
        {
            var chain = chains.FirstOrDefault(chain => chain[^1].Range.End <= pin.Range.Start);
            if (chain is null)
            {
                chains.Add([pin]);
            }
            else
            {
                chain.Add(pin);
            }
        }

        var pipelines = new List<Pipeline>();
        foreach (var chain in chains)
        {
            if (pipelines.Count < mostPipelines && Fill(work, costs, chain) is { } stages
                && RingOrder.IsReachable(work.Links, [.. stages.Select(static stage => stage.Room)]))
            {
                foreach (var (room, range) in stages.Where(stage => !work.Holds(costs, stage.Room)))
                {
                    work.Take(costs, room, range);
                }

                pipelines.Add(Pipeline.Of(costs, work.Links, [.. stages]));
            }
        }

        return pipelines;
    }

    private static List<Stage>? Fill(Workspace work, ModelCosts costs, List<Stage> chain)
    {
        var free = work.Free(costs).ToList();
        var stages = new List<Stage>();
        foreach (var pin in chain)
        {
            if (!FillGap(costs, work.Links, stages, free, pin.Range.Start))
            {
                return null;
            }

            stages.Add(pin);
        }

        return FillGap(costs, work.Links, stages, free, costs.Layers) ? stages : null;
    }

    /// <summary>The node that gets furthest, again and again; for the last piece the smallest that is enough.</summary>
    private static bool FillGap(ModelCosts costs, Links links, List<Stage> stages, List<NodeRoom> free, int end)
    {
        for (var at = stages.Count == 0 ? 0 : stages[^1].Range.End; at < end;)
        {
            var next = free
                .Where(room => stages.Count == 0 || links.IsReachable(stages[^1].Room.Index, room.Index))
                .Select(room => (Room: room, End: Math.Min(end, costs.FurthestEnd(room, at))))
                .OrderByDescending(static one => one.End)
                .ThenBy(one => costs.Capacity(one.Room).Plain)
                .ThenBy(one => stages.Count == 0 ? 0 : links.RoundTrip(stages[^1].Room.Index, one.Room.Index))
                .ThenBy(static one => one.Room.Index)
                .FirstOrDefault();
            if (next.Room is null || next.End <= at)
            {
                return false;
            }

            stages.Add(new Stage(next.Room, new LayerRange(at, next.End)));
            free.Remove(next.Room);
            at = next.End;
        }

        return true;
    }
}
