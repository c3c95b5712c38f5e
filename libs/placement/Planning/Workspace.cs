using System.Collections.Immutable;
using Parallax.Contracts.Identifiers;
using Parallax.Placement.Costs;
using Parallax.Placement.Pipelines;

namespace Parallax.Placement.Planning;

/// <summary>A planning's inputs, brought into order, and what has been taken of the nodes so far.</summary>
internal sealed class Workspace
{
    private readonly Dictionary<string, NodeRoom> _byId;
    private readonly Dictionary<string, Dictionary<NodeRoom, LayerRange>> _taken = new(StringComparer.Ordinal);

    public Workspace(ImmutableArray<ModelDemand> models, ClusterSnapshot cluster, AllocationOptions options)
    {
        Options = options;
        var nodes = cluster.Nodes.IsDefault ? [] : cluster.Nodes;
        // Of two descriptions of one node the poorer counts: what it promises holds in either case.
        var distinct = nodes
            .Where(static node => node?.Id is not null)
            .OrderBy(static node => node.Id, StringComparer.Ordinal)
            .ThenBy(static node => node.MemoryBytes)
            .ThenBy(static node => node.WeightBytesLimit ?? long.MaxValue)
            .ThenBy(static node => node.Tflops)
            .ThenBy(static node => node.BandwidthGBps)
            .ThenByDescending(static node => node.IsDraining)
            .DistinctBy(static node => node.Id, StringComparer.Ordinal);
        Rooms = [.. distinct.Select(static (node, index) => new NodeRoom(node, index))];
        _byId = Rooms.ToDictionary(static room => room.Id, StringComparer.Ordinal);
        Links = new Links(cluster, Rooms, options.UnknownRoundTripMs);
        Models = [.. (models.IsDefault ? [] : models)
            .Where(static demand => demand?.Shape?.Name is not null)
            .OrderBy(static demand => demand.Shape.Name, StringComparer.Ordinal)
            .ThenBy(static demand => demand.Shape.WeightsHash, StringComparer.Ordinal)
            .DistinctBy(static demand => demand.Shape.Name, StringComparer.Ordinal)
            .Select(static demand => new ModelCosts(demand))];
    }

    private Workspace(Workspace other)
    {
        (Options, Links, Models) = (other.Options, other.Links, other.Models);
        Rooms = [.. other.Rooms.Select(static room => new NodeRoom(room.Node, room.Index))];
        _byId = Rooms.ToDictionary(static room => room.Id, StringComparer.Ordinal);
    }

    /// <summary>The same inputs with nothing taken.</summary>
    public Workspace Again() => new(this);

    public AllocationOptions Options { get; }

    /// <summary>Nodes by id.</summary>
    public NodeRoom[] Rooms { get; }

    public Links Links { get; }

    /// <summary>Models by name.</summary>
    public ImmutableArray<ModelCosts> Models { get; }

    public NodeRoom? Room(string? id) => id is not null && _byId.TryGetValue(id, out var room) ? room : null;

    /// <summary>Pipelines of a model at most.</summary>
    public static int MostPipelines(ModelCosts costs) => Math.Max(0, costs.Demand.MaxPipelines ?? int.MaxValue);

    /// <summary>Nodes that stay and hold nothing of the model yet.</summary>
    public IEnumerable<NodeRoom> Free(ModelCosts costs) => Rooms.Where(room => !room.Node.IsDraining && !Holds(costs, room));

    public bool Holds(ModelCosts costs, NodeRoom room) => Taken(costs).ContainsKey(room);

    /// <summary>What has been taken of the model on a node.</summary>
    public LayerRange? HeldRange(ModelCosts costs, NodeRoom room) => Taken(costs).TryGetValue(room, out var range) ? range : null;

    /// <summary>Whether a node holds anything.</summary>
    public bool IsBusy(NodeRoom room) => _taken.Values.Any(held => held.ContainsKey(room));

    /// <summary>Takes the memory of a range on a node that has it and holds nothing of the model.</summary>
    public void Take(ModelCosts costs, NodeRoom room, LayerRange range)
    {
        Taken(costs).Add(room, range);
        room.Take(costs.Need(range, room.Factor));
    }

    public void Take(ModelCosts costs, IEnumerable<Pipeline> pipelines)
    {
        foreach (var (room, range) in pipelines.SelectMany(static pipeline => pipeline.Stages))
        {
            Take(costs, room, range);
        }
    }

    /// <summary>Gives back what a node holds of the model.</summary>
    public void Return(ModelCosts costs, NodeRoom room)
    {
        if (Taken(costs).Remove(room, out var range))
        {
            room.Return(costs.Need(range, room.Factor));
        }
    }

    public void Return(ModelCosts costs, IEnumerable<Pipeline> pipelines)
    {
        foreach (var (room, _) in pipelines.SelectMany(static pipeline => pipeline.Stages))
        {
            Return(costs, room);
        }
    }

    /// <summary>Whether a range is one of the model.</summary>
    public static bool IsRange(ModelCosts costs, LayerRange range) => range.Start >= 0 && range.Start < range.End && range.End <= costs.Layers;

    private Dictionary<NodeRoom, LayerRange> Taken(ModelCosts costs)
    {
        if (!_taken.TryGetValue(costs.Name, out var taken))
        {
            _taken.Add(costs.Name, taken = []);
        }

        return taken;
    }
}
