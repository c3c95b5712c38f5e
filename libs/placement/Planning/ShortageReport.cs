using System.Globalization;
using Parallax.Placement.Costs;

namespace Parallax.Placement.Planning;

/// <summary>Says what a model that has no pipeline lacks.</summary>
internal static class ShortageReport
{
    /// <param name="start">A fresh start, in which everything is free; its links count.</param>
    /// <param name="withoutLinks">A fresh start in which everybody reaches everybody.</param>
    /// <param name="draft">What was planned.</param>
    /// <param name="at">The model.</param>
    public static Shortage Of(Func<Workspace> start, Func<Workspace> withoutLinks, Draft draft, int at)
    {
        var costs = draft.Work.Models[at];
        var name = costs.Name;
        if (costs.Layers == 0)
        {
            return new Shortage(name, "memory", 0, $"{name} has no layers: there is nothing to place.");
        }

        if (Workspace.MostPipelines(costs) == 0)
        {
            return new Shortage(name, "nodes", 0, $"{name} may have 0 pipelines: raise its MaxPipelines.");
        }

        var staying = draft.Work.Rooms.Count(static room => !room.Node.IsDraining);
        if (staying == 0)
        {
            return new Shortage(name, "nodes", 1, $"{name} needs a node at least; there is none{(draft.Work.Rooms.Length > 0 ? " that stays" : "")}.");
        }

        if (CanStand(withoutLinks(), name))
        {
            if (CanStand(start(), name))
            {
                return OutOfMemory(draft.Work, costs, "beside the other models ");
            }

            var pairs = draft.Work.Links.UnreachablePairs;
            return new Shortage(name, "links", pairs, string.Create(CultureInfo.InvariantCulture,
                $"{name} would fit, but not along nodes that reach each other: {pairs} pair{(pairs == 1 ? "" : "s")} of nodes cannot. Open their ports or add a node that both reach."));
        }

        return OutOfMemory(start(), costs, "");
    }

    private static bool CanStand(Workspace work, string model)
    {
        var costs = work.Models.First(one => one.Name == model);
        return new ModelPlanner(costs, work.Links).Best(work.Free(costs), 1).Count > 0;
    }

    private static Shortage OutOfMemory(Workspace work, ModelCosts costs, string where)
    {
        var rooms = work.Free(costs).ToList();
        var ends = costs.WholeBytes - costs.LayerBytes(0, costs.Layers);
        long layers = rooms.Sum(room => (long)Math.Min(costs.Layers, Math.Max(0, costs.Capacity(room).Plain)));
        var missing = Math.Max(0, costs.Layers - layers);
        var each = Math.Max(1, KvAndLayers(costs) / costs.Layers);
        var bytes = missing > 0 ? (missing * each) + ends : Math.Max(each, ends);
        var why = missing > 0
            ? string.Create(CultureInfo.InvariantCulture, $"{where}{rooms.Count} node{(rooms.Count == 1 ? " has" : "s have")} room for {layers} of its {costs.Layers} layers")
            : string.Create(CultureInfo.InvariantCulture, $"{where}{rooms.Count} node{(rooms.Count == 1 ? " has" : "s have")} room for {layers} layers of which it has {costs.Layers}, but not with embedding, LM head and whole layers on each");
        return new Shortage(costs.Name, "memory", bytes, string.Create(CultureInfo.InvariantCulture,
            $"{costs.Name} does not fit: {why}. About {bytes / 1e9:0.###} GB of memory are missing (a layer with its KV takes {each / 1e9:0.###} GB)."));
    }

    /// <summary>Layers with their KV, and the scratch of one stage.</summary>
    private static long KvAndLayers(ModelCosts costs)
    {
        var whole = costs.Need(costs.Whole, 1);
        return whole.Total - whole.Weights + costs.LayerBytes(0, costs.Layers);
    }
}
