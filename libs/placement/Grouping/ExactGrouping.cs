using System.Numerics;
using Parallax.Placement.Costs;
using Parallax.Placement.Pipelines;

namespace Parallax.Placement.Grouping;

/// <summary>
/// The best division of few nodes into pipelines, by dynamic programming over sets of nodes: first which sets make a
/// pipeline in some order and have no node too many, then which of them together reach the greatest Z, at the least
/// latency.
/// </summary>
internal sealed class ExactGrouping
{
    /// <summary>Above this many nodes the sets become too many.</summary>
    public const int MostNodes = 9;

    private readonly ModelCosts _costs;
    private readonly Links _links;
    private readonly PipelineBuilder _builder;
    private readonly NodeRoom[] _rooms;

    private ExactGrouping(PipelineBuilder builder, NodeRoom[] rooms)
    {
        (_costs, _links) = (builder.Costs, builder.Links);
        _builder = builder;
        _rooms = rooms;
    }

    /// <summary>The pipelines of the best plan; empty where there is none.</summary>
    /// <param name="builder">For this model.</param>
    /// <param name="rooms">At most <see cref="MostNodes"/>, ordered by index.</param>
    /// <param name="mostPipelines">At most so many.</param>
    public static List<Pipeline> Best(PipelineBuilder builder, NodeRoom[] rooms, int mostPipelines) =>
        new ExactGrouping(builder, rooms).Solve(mostPipelines);

    private List<Pipeline> Solve(int mostPipelines)
    {
        var pipelines = MinimalSets();
        var sets = 1 << _rooms.Length;
        var smallest = pipelines.SelectMany(static found => found).Select(static one => BitOperations.PopCount((uint)one.Members)).DefaultIfEmpty(int.MaxValue).Min();
        var most = Math.Min(_rooms.Length / smallest, mostPipelines);
        // choice[k, set]: of k pipelines within the set, the fewest nodes, then the least latency; the pipeline begun with.
        var choice = new (int Stages, double Latency, int First)[most + 1, sets];
        for (var k = 1; k <= most; k++)
        {
            choice[k, 0] = (int.MaxValue, 0, 0);
            for (var set = 1; set < sets; set++)
            {
                var lowest = set & -set;
                var best = choice[k, set & ~lowest];
                foreach (var (members, pipeline) in pipelines[BitOperations.TrailingZeroCount(set)])
                {
                    if ((members & ~set) != 0)
                    {
                        continue;
                    }

                    var rest = choice[k - 1, set & ~members];
                    if (rest.Stages == int.MaxValue)
                    {
                        continue;
                    }

                    var stages = rest.Stages + BitOperations.PopCount((uint)members);
                    var latency = rest.Latency + pipeline.LatencyMs;
                    if (stages < best.Stages || (stages == best.Stages && latency < best.Latency - (1e-9 * best.Latency)))
                    {
                        best = (stages, latency, members);
                    }
                }

                choice[k, set] = best;
            }
        }

        var score = default(Score);
        for (var k = 1; k <= most; k++)
        {
            if (choice[k, sets - 1].Stages < int.MaxValue && new Score(k, choice[k, sets - 1].Stages) is var reached && reached > score)
            {
                score = reached;
            }
        }

        var taken = new List<Pipeline>();
        for (var (k, set) = (score.Pipelines, sets - 1); k > 0; k--)
        {
            var members = choice[k, set].First;
            taken.Add(pipelines[BitOperations.TrailingZeroCount(members)].First(one => one.Members == members).Pipeline);
            set &= ~members;
        }

        return taken;
    }

    /// <summary>Sets that make a pipeline and of which no part does, by their lowest member.</summary>
    private List<(int Members, Pipeline Pipeline)>[] MinimalSets()
    {
        var sets = 1 << _rooms.Length;
        var covered = new bool[sets]; // the set, or a part of it, makes a pipeline
        var found = new List<(int, Pipeline)>[_rooms.Length];
        for (var i = 0; i < found.Length; i++)
        {
            found[i] = [];
        }

        var reach = _links.HasUnreachable ? null : ReachAlone();
        var orders = _links.HasUnreachable ? new ReachableOrders(_costs, _links, _rooms) : null;
        for (var set = 1; set < sets; set++)
        {
            for (var rest = set; rest != 0 && !covered[set]; rest &= rest - 1)
            {
                covered[set] = covered[set & ~(rest & -rest)];
            }

            if (covered[set])
            {
                continue;
            }

            var known = orders is not null ? orders.Of(set) : reach![set].End == _costs.Layers ? [OrderOf(reach, set)] : [];
            var pipeline = known.Select(order => _builder.Build(Members(set), order)).FirstOrDefault(static one => one is not null);
            if (pipeline is not null)
            {
                covered[set] = true;
                found[BitOperations.TrailingZeroCount(set)].Add((set, pipeline));
            }
        }

        return found;
    }

    /// <summary>
    /// How far the nodes of each set get together, and who stands last then. Who begins later never gets less far, so the
    /// furthest beginning is the best.
    /// </summary>
    private (int End, int Last)[] ReachAlone()
    {
        var reach = new (int End, int Last)[1 << _rooms.Length];
        for (var set = 1; set < reach.Length; set++)
        {
            reach[set] = (-1, -1);
            for (var rest = set; rest != 0; rest &= rest - 1)
            {
                var last = BitOperations.TrailingZeroCount(rest);
                var start = reach[set & ~(1 << last)].End;
                var end = start >= 0 && start < _costs.Layers ? _costs.FurthestEnd(_rooms[last], start) : -1;
                if (end > start && end > reach[set].End)
                {
                    reach[set] = (end, last);
                }
            }
        }

        return reach;
    }

    private NodeRoom[] OrderOf((int End, int Last)[] reach, int set)
    {
        var order = new NodeRoom[BitOperations.PopCount((uint)set)];
        for (var i = order.Length - 1; i >= 0; i--)
        {
            order[i] = _rooms[reach[set].Last];
            set &= ~(1 << reach[set].Last);
        }

        return order;
    }

    private NodeRoom[] Members(int set) => [.. _rooms.Where((_, i) => (set >> i & 1) != 0)];
}
