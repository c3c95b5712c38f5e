using Parallax.Placement.Costs;

namespace Parallax.Placement.Planning;

/// <summary>
/// Several models on one cluster: each gets one pipeline first, so that none starves; then each in turn what makes its Z
/// greatest beside the others.
/// </summary>
internal static class ClusterPlanner
{
    /// <summary>A plan for a cluster that holds nothing.</summary>
    public static Draft Plan(Func<Workspace> start)
    {
        var first = Plan(start(), static models => models.OrderByDescending(static one => one.Costs.WholeBytes).ThenBy(static one => one.At));
        if (first.Served == first.Pipelines.Length || first.Pipelines.Length < 2)
        {
            return first;
        }

        // The other way round something may be left for all.
        var second = Plan(start(), static models => models.OrderBy(static one => one.Costs.WholeBytes).ThenBy(static one => one.At));
        return second.Served > first.Served ? second : first;
    }

    /// <summary>Gives every model that has none a pipeline, then adds pipelines where they raise Z.</summary>
    public static void Complete(Draft draft, IReadOnlyList<int> order)
    {
        var work = draft.Work;
        if (order.Count > 1)
        {
            foreach (var at in order.Where(at => draft.Pipelines[at].Count == 0))
            {
                Add(draft, at, Math.Min(1, Workspace.MostPipelines(work.Models[at])));
            }

            // With the others' reserved, each decides anew; it can have no less than it had.
            foreach (var at in order)
            {
                var costs = work.Models[at];
                if (draft.Pipelines[at].Count == 1 && !draft.IsKept(draft.Pipelines[at][0]))
                {
                    work.Return(costs, draft.Pipelines[at]);
                    draft.Pipelines[at].Clear();
                }

                Add(draft, at, Workspace.MostPipelines(costs));
            }

            return;
        }

        foreach (var at in order)
        {
            Add(draft, at, Workspace.MostPipelines(work.Models[at]));
        }
    }

    private static Draft Plan(Workspace work, Func<IEnumerable<(ModelCosts Costs, int At)>, IEnumerable<(ModelCosts Costs, int At)>> sort)
    {
        var draft = new Draft(work);
        var order = sort(work.Models.Select(static (costs, at) => (costs, at))).Select(static one => one.At).ToList();
        foreach (var at in order)
        {
            draft.TakePins(at);
        }

        foreach (var at in order)
        {
            draft.CompletePins(at);
        }

        Complete(draft, order);
        return draft;
    }

    private static void Add(Draft draft, int at, int mostPipelines)
    {
        var costs = draft.Work.Models[at];
        var free = draft.Work.Free(costs).ToList();
        var added = new ModelPlanner(costs, draft.Work.Links).Extend(draft.Pipelines[at], free, mostPipelines);
        draft.Work.Take(costs, added);
        draft.Pipelines[at].AddRange(added);
    }
}
