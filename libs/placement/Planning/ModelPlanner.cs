using Parallax.Contracts.Identifiers;
using Parallax.Placement.Costs;
using Parallax.Placement.Grouping;
using Parallax.Placement.Pipelines;

namespace Parallax.Placement.Planning;

/// <summary>Pipelines of one model on nodes that are free for it.</summary>
internal sealed class ModelPlanner(ModelCosts costs, Links links)
{
    private readonly PipelineBuilder _builder = new(costs, links);

    /// <summary>The pipelines that make Z greatest; empty where there is none.</summary>
    /// <param name="rooms">Nodes, each of which may be used once.</param>
    /// <param name="mostPipelines">At most so many.</param>
    public List<Pipeline> Best(IEnumerable<NodeRoom> rooms, int mostPipelines)
    {
        var useful = rooms.Where(IsUseful).OrderBy(static room => room.Index).ToArray();
        if (useful.Length == 0 || mostPipelines < 1)
        {
            return [];
        }

        if (useful.Length <= ExactGrouping.MostNodes)
        {
            return ExactGrouping.Best(_builder, useful, mostPipelines);
        }

        var best = Packed(useful, mostPipelines);
        if (links.HasUnreachable || best.Count == 0)
        {
            var grown = Improve([], PathGrowth.Grow(_builder, new BinFigures(costs, useful, costs.Layers).Rooms, mostPipelines));
            best = ScoreOf(grown) > ScoreOf(best) ? grown : best;
        }

        return best;
    }

    /// <summary>Adds pipelines on free nodes to those that are there, as long as Z grows; returns only what is added.</summary>
    public List<Pipeline> Extend(IReadOnlyList<Pipeline> present, IReadOnlyCollection<NodeRoom> free, int mostPipelines)
    {
        var added = new List<Pipeline>();
        while (present.Count + added.Count < mostPipelines && CouldImprove([.. present, .. added], free))
        {
            var taken = added.SelectMany(static pipeline => pipeline.Stages).Select(static stage => stage.Room).ToHashSet();
            var candidates = Best(free.Where(room => !taken.Contains(room)), mostPipelines - present.Count - added.Count);
            var better = Improve([.. present, .. added], candidates);
            if (better.Count == 0)
            {
                break;
            }

            added.AddRange(better);
        }

        return added;
    }

    /// <summary>
    /// Whether pipelines of free nodes could raise Z: they could not if even the largest of them were too many. May say yes
    /// where the answer is no.
    /// </summary>
    public bool CouldImprove(IReadOnlyCollection<Pipeline> present, IEnumerable<NodeRoom> free)
    {
        if (!costs.IsUniform || present.Count == 0)
        {
            return true;
        }

        var score = ScoreOf(present);
        var layers = 0L;
        var (pipelines, stages) = (0, 0);
        foreach (var capacity in free.Select(room => Math.Min(costs.Capacity(room).Plain, MostCounted(room))).OrderDescending())
        {
            layers += capacity;
            stages++;
            if (layers >= (pipelines + 1L) * costs.Layers)
            {
                pipelines++;
                if (new Score(score.Pipelines + pipelines, score.Stages + stages) > score)
                {
                    return true;
                }
            }
        }

        return false;
    }

    /// <summary>Layers of a node that count towards one pipeline: no more than there are, and what its ends take.</summary>
    private int MostCounted(NodeRoom room)
    {
        var capacity = costs.Capacity(room);
        return costs.Layers + (2 * capacity.Plain) - capacity.WithEmbedding - capacity.WithHead;
    }

    public static Score ScoreOf(IReadOnlyCollection<Pipeline> pipelines) =>
        new(pipelines.Count, pipelines.Sum(static pipeline => pipeline.Stages.Length));

    /// <summary>Those of the candidates, shortest first, with which Z is greatest; none where all make it less.</summary>
    public static List<Pipeline> Improve(IReadOnlyCollection<Pipeline> present, IEnumerable<Pipeline> candidates)
    {
        var sorted = candidates.OrderBy(static one => one.Stages.Length).ThenBy(static one => one.LatencyMs).ThenBy(static one => one.Head.Index).ToList();
        var best = ScoreOf(present);
        var (score, taken) = (best, 0);
        for (var i = 0; i < sorted.Count; i++)
        {
            score = new Score(score.Pipelines + 1, score.Stages + sorted[i].Stages.Length);
            if (score > best)
            {
                (best, taken) = (score, i + 1);
            }
        }

        return sorted[..taken];
    }

    private bool IsUseful(NodeRoom room)
    {
        if (costs.IsUniform)
        {
            return costs.Layers > 0 && costs.Capacity(room) is var capacity && (capacity.Plain >= 1 || capacity.WithBoth >= 1);
        }

        return Enumerable.Range(0, costs.Layers).Any(layer => costs.Fits(room, new LayerRange(layer, layer + 1)));
    }

    /// <summary>
    /// Packs by numbers of layers. Where layers differ, a pipeline may then miss a layer or two for lack of a good place to
    /// cut; packing is repeated with as many layers more, and the best result stands.
    /// </summary>
    private List<Pipeline> Packed(NodeRoom[] rooms, int mostPipelines)
    {
        List<Pipeline> best = [];
        for (var spare = 0; spare <= (costs.IsUniform ? 0 : MostSpareLayers); spare++)
        {
            var figures = new BinFigures(costs, rooms, costs.Layers + spare);
            var groups = HeuristicGrouping.Best(figures, mostPipelines);
            DistanceRefinement.Refine(figures, links, groups);
            var built = groups.Select(group => _builder.Build([.. group.Select(node => figures.Rooms[node])])).OfType<Pipeline>().ToList();
            var complete = built.Count == groups.Count;
            built = Improve([], built);
            best = ScoreOf(built) > ScoreOf(best) ? built : best;
            if (complete)
            {
                break;
            }
        }

        return best;
    }

    private const int MostSpareLayers = 4;
}
