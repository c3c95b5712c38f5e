namespace Parallax.Placement.Costs;

/// <summary>A node and what of its memory is still to be had; planning models one after another takes from it.</summary>
internal sealed class NodeRoom
{
    public NodeRoom(PlacementNode node, int index)
    {
        Node = node;
        Index = index;
        Memory = Sane.Memory(node.MemoryBytes);
        WeightLimit = Sane.Memory(node.WeightBytesLimit ?? long.MaxValue);
        Factor = Sane.Factor(node.LayerWeightFactor);
        Tflops = Sane.Rate(node.Tflops);
        Bandwidth = Sane.Rate(node.BandwidthGBps);
    }

    public PlacementNode Node { get; }

    /// <summary>Its place among all nodes, ordered by id.</summary>
    public int Index { get; }

    public string Id => Node.Id;

    /// <summary>Bytes left.</summary>
    public long Memory { get; private set; }

    /// <summary>Bytes left for weights; never more than <see cref="Memory"/> matters.</summary>
    public long WeightLimit { get; private set; }

    public double Factor { get; }

    public double Tflops { get; }

    public double Bandwidth { get; }

    /// <summary>Takes what a range needs. May not go below zero: callers have asked whether it fits.</summary>
    public void Take(MemoryNeed need)
    {
        Memory -= need.Total;
        WeightLimit -= need.Weights;
    }

    /// <summary>Gives it back.</summary>
    public void Return(MemoryNeed need)
    {
        Memory += need.Total;
        WeightLimit += need.Weights;
    }
}
