using System.Collections.Immutable;
using System.Globalization;
using Parallax.Contracts.Identifiers;
using Parallax.Placement.Pipelines;
using Parallax.Placement.Planning;

namespace Parallax.Placement.Incremental;

/// <summary>
/// The next draft where something is there: full pipelines stay; of the rest pipelines are made with the fewest bytes; only
/// where that serves less than could be served, by much, is all of it planned anew.
/// </summary>
internal static class Replanner
{
    /// <summary>Rounds in which a draft may still change by being planned on from itself.</summary>
    private const int MostRounds = 4;

    /// <param name="start">Makes the inputs anew, with nothing taken.</param>
    /// <param name="current">What nodes hold.</param>
    public static Draft Plan(Func<Workspace> start, ImmutableArray<Assignment> current)
    {
        var kept = Settle(start, Keep(start(), current));
        var anew = PlanAnew(start);
        if (anew.Served > kept.Served)
        {
            anew.Reasons.Add("Everything is planned anew: so more models are served than with what is there.");
            return anew;
        }

        var gain = Gain(kept, anew);
        if (gain > Math.Max(1, kept.Work.Options.RebalanceGain))
        {
            anew.Reasons.Add(string.Create(CultureInfo.InvariantCulture, $"Everything is planned anew: the throughput becomes {gain:0.##} times what it would be with the fewest moves."));
            return anew;
        }

        return kept;
    }

    /// <summary>A draft for a cluster that holds nothing.</summary>
    public static Draft PlanAnew(Func<Workspace> start)
    {
        var draft = ClusterPlanner.Plan(start);
        AddReplicas(draft);
        return Settle(start, draft);
    }

    /// <summary>
    /// Plans on from a draft, as if it had been carried out, until nothing moves: whoever plans again later finds nothing to
    /// move either. What is found on the way, by searching from what is held, is better by Z.
    /// </summary>
    private static Draft Settle(Func<Workspace> start, Draft draft)
    {
        for (var round = 0; round < MostRounds; round++)
        {
            var held = draft.Assignments().ToImmutableArray();
            var next = Keep(start(), held);
            if (next.Assignments().ToHashSet().SetEquals(held))
            {
                break;
            }

            if (!Enumerable.Range(0, draft.Pipelines.Length).All(at => ModelPlanner.ScoreOf(next.Pipelines[at]) >= ModelPlanner.ScoreOf(draft.Pipelines[at])))
            {
                break;
            }

            draft = next;
        }

        return draft;
    }

    private static void AddReplicas(Draft draft)
    {
        if (draft.Work.Options.WithReplicas)
        {
            ReplicaChoice.AddTo(draft);
        }
    }

    /// <summary>By how much the throughput grows, over all models; 0 where one of them would have less or none.</summary>
    private static double Gain(Draft kept, Draft anew)
    {
        var sum = 0.0;
        var models = 0;
        for (var at = 0; at < kept.Pipelines.Length; at++)
        {
            var (before, after) = (Throughput(kept.Pipelines[at]), Throughput(anew.Pipelines[at]));
            if (after < before)
            {
                return 0;
            }

            if (before > 0)
            {
                sum += after / before;
                models++;
            }
        }

        return models == 0 ? 0 : sum / models;
    }

    private static double Throughput(List<Pipeline> pipelines) => pipelines.Sum(static pipeline => pipeline.TokensPerSecond);

    private static Draft Keep(Workspace work, ImmutableArray<Assignment> current)
    {
        var draft = new Draft(work);
        var holdings = new Holdings(work, current);
        for (var at = 0; at < work.Models.Length; at++)
        {
            draft.TakePins(at);
        }

        for (var at = 0; at < work.Models.Length; at++)
        {
            KeepPresent(draft, holdings, at, draining: false);
        }

        for (var at = 0; at < work.Models.Length; at++)
        {
            draft.CompletePins(at);
            Restore(draft, holdings, at);
        }

        ClusterPlanner.Complete(draft, [.. Enumerable.Range(0, work.Models.Length)]);
        for (var at = 0; at < work.Models.Length; at++)
        {
            if (draft.Pipelines[at].Count == 0)
            {
                // Better with nodes that leave than not at all; they go once others serve.
                KeepPresent(draft, holdings, at, draining: true);
            }
        }

        KeepReplicas(draft, holdings);
        AddReplicas(draft);
        return draft;
    }

    private static void KeepPresent(Draft draft, Holdings holdings, int at, bool draining)
    {
        var (work, costs) = (draft.Work, draft.Work.Models[at]);
        var held = holdings.Sound(at).Where(stage =>
            (draining || !stage.Room.Node.IsDraining)
            && (work.HeldRange(costs, stage.Room) is { } taken ? taken == stage.Range : costs.Fits(stage.Room, stage.Range)));
        draft.Keep(at, PresentPipelines.Find(costs, work.Links, held, Workspace.MostPipelines(costs)));
    }

    /// <summary>Pipelines out of pieces, cheapest first, as long as Z grows.</summary>
    private static void Restore(Draft draft, Holdings holdings, int at)
    {
        var (work, costs) = (draft.Work, draft.Work.Models[at]);
        if (costs.Layers == 0)
        {
            return;
        }

        var planner = new ModelPlanner(costs, work.Links);
        while (draft.Pipelines[at].Count < Workspace.MostPipelines(costs))
        {
            var free = work.Free(costs).Select(room => (room, holdings.Of(costs.Name, room))).ToList();
            if (!planner.CouldImprove(draft.Pipelines[at], free.Select(static one => one.room))
                || CheapestPipeline.Find(costs, work.Links, free) is not { } pipeline
                || ModelPlanner.Improve(draft.Pipelines[at], [pipeline]).Count == 0)
            {
                return;
            }

            draft.Keep(at, [pipeline]);
        }
    }

    /// <summary>
    /// What is part of some full pipeline stays where it is, also where it is not counted as one: it can stand in for others.
    /// </summary>
    private static void KeepReplicas(Draft draft, Holdings holdings)
    {
        var work = draft.Work;
        for (var at = 0; at < work.Models.Length && work.Options.WithReplicas; at++)
        {
            var costs = work.Models[at];
            var held = holdings.Sound(at).Where(stage =>
                !stage.Room.Node.IsDraining && !work.Holds(costs, stage.Room) && costs.Fits(stage.Room, stage.Range)).ToList();
            var ranges = draft.Pipelines[at].SelectMany(static pipeline => pipeline.Stages).Concat(held).Select(static stage => stage.Range).Distinct().ToList();
            var useful = WithinPipelines(ranges, costs.Layers);
            foreach (var stage in held.Where(stage => useful.Contains(stage.Range)))
            {
                if (!work.Holds(costs, stage.Room) && costs.Fits(stage.Room, stage.Range))
                {
                    work.Take(costs, stage.Room, stage.Range);
                    draft.Replicas[at].Add(stage);
                }
            }
        }
    }

    /// <summary>Those of the ranges that lie on a way from the first layer to the last.</summary>
    private static HashSet<LayerRange> WithinPipelines(List<LayerRange> ranges, int layers)
    {
        var (from, to) = (new HashSet<int> { 0 }, new HashSet<int> { layers });
        foreach (var range in ranges.OrderBy(static range => range.Start).Where(range => from.Contains(range.Start)))
        {
            from.Add(range.End);
        }

        foreach (var range in ranges.OrderByDescending(static range => range.End).Where(range => to.Contains(range.End)))
        {
            to.Add(range.Start);
        }

        return [.. ranges.Where(range => from.Contains(range.Start) && to.Contains(range.End))];
    }
}
