using Parallax.Placement.Costs;

namespace Parallax.Placement.Grouping;

/// <summary>
/// What nodes bring into a pipeline, in average layers. A pipeline of one needs <see cref="Both"/> to reach all layers; one
/// of several needs the plain figures less what the cheapest head and the cheapest tail lose.
/// </summary>
internal sealed class BinFigures
{
    /// <summary>What an end costs a node that cannot be one.</summary>
    private const int Never = 1 << 25;

    public BinFigures(ModelCosts costs, NodeRoom[] rooms, int layers)
    {
        Layers = layers;
        // Largest first. Where sizes are equal the smaller loss comes first; then those of one region and machine side by side.
        Rooms = [.. rooms
            .Select(room => (Room: room, Capacity: costs.Capacity(room)))
            .OrderByDescending(static one => one.Capacity.Plain)
            .ThenByDescending(static one => one.Capacity.WithBoth)
            .ThenBy(static one => one.Room.Node.Region ?? "", StringComparer.Ordinal)
            .ThenBy(static one => one.Room.Node.FailureDomain ?? "", StringComparer.Ordinal)
            .ThenBy(static one => one.Room.Index)
            .Select(static one => one.Room)];
        Plain = new int[Rooms.Length];
        HeadLoss = new int[Rooms.Length];
        TailLoss = new int[Rooms.Length];
        Both = new int[Rooms.Length];
        Kind = new int[Rooms.Length];
        var kinds = new Dictionary<LayerCapacity, int>();
        for (var i = 0; i < Rooms.Length; i++)
        {
            var capacity = costs.Capacity(Rooms[i]);
            Plain[i] = capacity.Plain;
            HeadLoss[i] = capacity.WithEmbedding < 1 ? Never : capacity.Plain - capacity.WithEmbedding;
            TailLoss[i] = capacity.WithHead < 1 ? Never : capacity.Plain - capacity.WithHead;
            Both[i] = capacity.WithBoth;
            if (!kinds.TryGetValue(capacity, out Kind[i]))
            {
                kinds.Add(capacity, Kind[i] = kinds.Count);
            }
        }
    }

    /// <summary>Layers that a pipeline must reach.</summary>
    public int Layers { get; }

    public NodeRoom[] Rooms { get; }

    public int[] Plain { get; }

    public int[] HeadLoss { get; }

    public int[] TailLoss { get; }

    public int[] Both { get; }

    /// <summary>The same for nodes whose figures are all the same: to exchange them changes nothing.</summary>
    public int[] Kind { get; }

    /// <summary>By how many layers members are more than a pipeline needs; negative where layers are missing.</summary>
    public int Slack(ReadOnlySpan<int> members)
    {
        if (members.Length < 2)
        {
            return members.Length == 0 ? -Layers : Both[members[0]] - Layers;
        }

        var sum = 0L;
        // The two cheapest heads and tails: the same node cannot be both.
        var (head, head2, tail, tail2) = (-1, -1, -1, -1);
        foreach (var i in members)
        {
            sum += Plain[i];
            if (head < 0 || HeadLoss[i] < HeadLoss[head])
            {
                (head, head2) = (i, head);
            }
            else if (head2 < 0 || HeadLoss[i] < HeadLoss[head2])
            {
                head2 = i;
            }

            if (tail < 0 || TailLoss[i] < TailLoss[tail])
            {
                (tail, tail2) = (i, tail);
            }
            else if (tail2 < 0 || TailLoss[i] < TailLoss[tail2])
            {
                tail2 = i;
            }
        }

        var loss = head != tail
            ? (long)HeadLoss[head] + TailLoss[tail]
            : Math.Min((long)HeadLoss[head] + TailLoss[tail2], (long)HeadLoss[head2] + TailLoss[tail]);
        return (int)Math.Clamp(sum - loss - Layers, -(1 << 28), 1 << 28);
    }
}
