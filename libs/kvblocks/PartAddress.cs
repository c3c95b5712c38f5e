namespace Parallax.KvBlocks;

/// <summary>
/// Where a part is found: what one block of 16 positions holds for one layer. Layers are counted through the whole model, so that
/// what a stage of layers [0,12) wrote helps a stage of layers [0,8).
/// </summary>
/// <param name="Hash">The block's chained hash: version, weights, numeric class, tenant's salt, all tokens up to its end.</param>
/// <param name="Kind">What it holds.</param>
/// <param name="Layer">0 to <see cref="MostLayers"/> - 1.</param>
public readonly record struct PartAddress(UInt128 Hash, PartKind Kind, int Layer)
{
    /// <summary>Layers of a model at most.</summary>
    public const int MostLayers = 1 << 14;

    /// <summary>Whether kind and layer are some that there are.</summary>
    public bool IsValid => Kind is PartKind.Kv or PartKind.Outputs && (uint)Layer < MostLayers;
}
