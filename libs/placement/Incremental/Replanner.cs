using System.Collections.Immutable;
using System.Globalization;
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
        var present = PresentPipelines.Find(costs, work.Links, held, Workspace.MostPipelines(costs));
        draft.Keep(at, work.Models.Length == 1 && work.Options.WithReplicas ? WithoutCopies(present) : present);
    }

    /// <summary>
    /// Warm copies may happen to make a full pipeline. Where that makes Z less they stay what they are, copies: else the next
    /// plan would start from another Z than the one that made them.
    /// </summary>
    private static List<Pipeline> WithoutCopies(List<Pipeline> present)
    {
        var better = ModelPlanner.Improve([], present);
        return [.. better, .. present.Where(one => !better.Contains(one) && !one.Stages.All(stage => ReplicaChoice.IsUseful(better, stage.Range)))];
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

    /// <summary>Pieces that can stand in for a stage stay where they are.</summary>
    private static void KeepReplicas(Draft draft, Holdings holdings)
    {
        var work = draft.Work;
        for (var at = 0; at < work.Models.Length && work.Options.WithReplicas; at++)
        {
            var costs = work.Models[at];
            foreach (var stage in holdings.Sound(at))
            {
                if (!stage.Room.Node.IsDraining && !work.IsBusy(stage.Room) && costs.Fits(stage.Room, stage.Range)
                    && ReplicaChoice.IsUseful(draft.Pipelines[at], stage.Range))
                {
                    work.Take(costs, stage.Room, stage.Range);
                    draft.Replicas[at].Add(stage);
                }
            }
        }
    }
}
