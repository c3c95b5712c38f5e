using Parallax.Contracts.Identifiers;
using Parallax.Placement.Costs;
using Parallax.Placement.Pipelines;

namespace Parallax.Placement.Planning;

/// <summary>
/// Warm copies on nodes that no pipeline needs: of the stages whose loss would hurt most, those that carry much and that few
/// hold, on another machine than the holders where there is a choice.
/// </summary>
internal sealed class ReplicaChoice
{
    /// <summary>Ranges that a node is offered, most urgent first.</summary>
    private const int MostOffers = 256;

    /// <summary>What a copy on a machine that holds the range already is worth.</summary>
    private const double SameMachine = 0.01;

    private readonly Draft _draft;
    private readonly List<Exposure> _ranges = [];

    private ReplicaChoice(Draft draft)
    {
        _draft = draft;
        var links = draft.Work.Links;
        for (var at = 0; at < draft.Pipelines.Length; at++)
        {
            var byLayers = new SortedDictionary<(int, int), Exposure>();
            foreach (var pipeline in draft.Pipelines[at])
            {
                for (var i = 0; i < pipeline.Stages.Length; i++)
                {
                    var (room, layers) = pipeline.Stages[i];
                    if (!byLayers.TryGetValue((layers.Start, layers.End), out var range))
                    {
                        byLayers.Add((layers.Start, layers.End), range = new Exposure(at, layers));
                    }

                    range.Carries += pipeline.TokensPerSecond;
                    range.Holders.Add(room);
                    if (links.HasUnreachable && pipeline.Stages.Length > 1)
                    {
                        range.Neighbours.Add((pipeline.Stages[(i + pipeline.Stages.Length - 1) % pipeline.Stages.Length].Room, pipeline.Stages[(i + 1) % pipeline.Stages.Length].Room));
                    }
                }
            }

            foreach (var stage in draft.Replicas[at])
            {
                if (byLayers.TryGetValue((stage.Range.Start, stage.Range.End), out var range))
                {
                    range.Holders.Add(stage.Room);
                }
            }

            _ranges.AddRange(byLayers.Values);
        }
    }

    /// <summary>Adds replicas to a draft.</summary>
    public static void AddTo(Draft draft)
    {
        var idle = draft.Work.Rooms.Where(room => !room.Node.IsDraining && !draft.Work.IsBusy(room)).ToList();
        if (idle.Count > 0)
        {
            new ReplicaChoice(draft).Place(idle);
        }
    }

    private void Place(List<NodeRoom> idle)
    {
        _ranges.Sort(static (one, other) => one.CompareTo(other));
        foreach (var room in idle)
        {
            Exposure? best = null;
            var worth = 0.0;
            foreach (var range in _ranges.Take(MostOffers))
            {
                if (range.Urgency <= worth)
                {
                    break; // those that follow are no more urgent
                }

                var costs = _draft.Work.Models[range.Model];
                var value = range.Urgency * (IsOnMachineOfHolder(room, range) ? SameMachine : 1);
                if (value > worth && costs.Fits(room, range.Layers) && CanStandIn(room, range))
                {
                    (best, worth) = (range, value);
                }
            }

            if (best is not null)
            {
                _draft.Work.Take(_draft.Work.Models[best.Model], room, best.Layers);
                _draft.Replicas[best.Model].Add(new Stage(room, best.Layers));
                _ranges.Remove(best);
                best.Holders.Add(room);
                var at = _ranges.BinarySearch(best);
                _ranges.Insert(at < 0 ? ~at : at, best);
            }
        }
    }

    private static bool IsOnMachineOfHolder(NodeRoom room, Exposure range) =>
        !string.IsNullOrEmpty(room.Node.FailureDomain)
        && range.Holders.Any(holder => string.Equals(holder.Node.FailureDomain, room.Node.FailureDomain, StringComparison.Ordinal));

    private bool CanStandIn(NodeRoom room, Exposure range)
    {
        var links = _draft.Work.Links;
        return range.Neighbours.Count == 0
            || range.Neighbours.Any(pair => links.IsReachable(room.Index, pair.Before.Index) && links.IsReachable(room.Index, pair.After.Index));
    }

    private sealed class Exposure(int model, LayerRange layers) : IComparable<Exposure>
    {
        public int Model { get; } = model;

        public LayerRange Layers { get; } = layers;

        public double Carries { get; set; }

        public List<NodeRoom> Holders { get; } = [];

        public List<(NodeRoom Before, NodeRoom After)> Neighbours { get; } = [];

        /// <summary>Tokens a second that go through each holder: what is lost with one of them.</summary>
        public double Urgency => Carries / Holders.Count;

        public int CompareTo(Exposure? other)
        {
            var order = other!.Urgency.CompareTo(Urgency);
            order = order != 0 ? order : Model.CompareTo(other.Model);
            order = order != 0 ? order : Layers.Start.CompareTo(other.Layers.Start);
            return order != 0 ? order : Layers.End.CompareTo(other.Layers.End);
        }
    }
}
