namespace Parallax.KvBlocks;

/// <summary>What of each block of a chain is asked for.</summary>
/// <param name="LayerStart">Layers [start, end): the K and V of each.</param>
/// <param name="LayerEnd">Past the last layer.</param>
/// <param name="WantsOutputs">Also the hidden states that leave the last of these layers.</param>
public readonly record struct ChainQuery(int LayerStart, int LayerEnd, bool WantsOutputs)
{
    /// <summary>Whether such layers can be.</summary>
    public bool IsValid => LayerStart >= 0 && LayerEnd > LayerStart && LayerEnd <= PartAddress.MostLayers;
}
