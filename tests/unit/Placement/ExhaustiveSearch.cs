using Parallax.Contracts.Identifiers;
using Parallax.Placement;
using Parallax.Placement.Costs;

namespace Parallax.UnitTests.Placement;

/// <summary>The best Z by trying everything: every division of the nodes, every order, every place to cut.</summary>
internal static class ExhaustiveSearch
{
    /// <summary>Pipelines and nodes of the best plan; (0, 0) where there is none.</summary>
    /// <param name="nodes">Up to about 6.</param>
    /// <param name="demand">The model.</param>
    /// <param name="areLinked">Whether two nodes reach each other, by their place in <paramref name="nodes"/>.</param>
    public static (int Pipelines, int Stages) Best(PlacementNode[] nodes, ModelDemand demand, Func<int, int, bool> areLinked)
    {
        var costs = new ModelCosts(demand);
        var rooms = nodes.Select(static (node, i) => new NodeRoom(node, i)).ToArray();
        var complete = Enumerable.Range(0, 1 << nodes.Length).Select(set => set > 0 && AnyOrder(set, [])).ToArray();
        var best = (Pipelines: 0, Stages: 0);
        Divide((1 << nodes.Length) - 1, 0, 0);
        return best;

        void Divide(int left, int pipelines, int stages)
        {
            if (pipelines > 0 && (best.Pipelines == 0 || (long)pipelines * pipelines * best.Stages > (long)best.Pipelines * best.Pipelines * stages))
            {
                best = (pipelines, stages);
            }

            if (left == 0)
            {
                return;
            }

            var first = left & -left;
            Divide(left & ~first, pipelines, stages); // the node is used by nobody
            for (var others = left & ~first; ; others = (others - 1) & (left & ~first))
            {
                if (complete[others | first])
                {
                    Divide(left & ~(others | first), pipelines + 1, stages + int.PopCount(others | first));
                }

                if (others == 0)
                {
                    return;
                }
            }
        }

        bool AnyOrder(int set, List<int> order)
        {
            if (order.Count == int.PopCount(set))
            {
                return IsRing(order) && Cut(order, 0, 0);
            }

            for (var i = 0; i < rooms.Length; i++)
            {
                if ((set >> i & 1) == 0 || order.Contains(i))
                {
                    continue;
                }

                order.Add(i);
                if (AnyOrder(set, order))
                {
                    return true;
                }

                order.RemoveAt(order.Count - 1);
            }

            return false;
        }

        bool IsRing(List<int> order) =>
            order.Count == 1 || order.Select((one, i) => (one, next: order[(i + 1) % order.Count])).All(pair => areLinked(pair.one, pair.next));

        bool Cut(List<int> order, int at, int start)
        {
            if (at == order.Count - 1)
            {
                return start < costs.Layers && costs.Fits(rooms[order[at]], new LayerRange(start, costs.Layers));
            }

            for (var end = start + 1; end < costs.Layers && costs.Fits(rooms[order[at]], new LayerRange(start, end)); end++)
            {
                if (Cut(order, at + 1, end))
                {
                    return true;
                }
            }

            return false;
        }
    }
}
