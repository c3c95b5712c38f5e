using Parallax.Placement.Costs;

namespace Parallax.Placement;

/// <summary>How many average layers of a model fit on a node.</summary>
/// <param name="Plain">As a stage in the middle.</param>
/// <param name="WithEmbedding">As the head.</param>
/// <param name="WithHead">As the tail.</param>
/// <param name="WithBoth">As the only stage.</param>
public readonly record struct LayerCapacity(int Plain, int WithEmbedding, int WithHead, int WithBoth)
{
    /// <summary>The four figures of a node that holds nothing yet; exact where all layers are alike.</summary>
    public static LayerCapacity Of(ModelDemand demand, PlacementNode node)
    {
        ArgumentNullException.ThrowIfNull(demand);
        ArgumentNullException.ThrowIfNull(node);
        return new ModelCosts(demand).Capacity(new NodeRoom(node, 0));
    }
}
