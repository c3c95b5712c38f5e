using Parallax.Contracts.Identifiers;

namespace Parallax.Runtime.Execution;

/// <summary>Layers were asked for that a model does not have.</summary>
/// <param name="model">The model's name.</param>
/// <param name="range">What was asked for.</param>
/// <param name="layers">What it has.</param>
public sealed class LayerRangeException(string model, LayerRange range, int layers)
    : ParallaxException($"{range} is no range of layers of {model}, which has {layers}: name START-END with 0 <= START < END <= {layers}.")
{
    /// <summary>What was asked for.</summary>
    public LayerRange Range => range;

    /// <summary>Layers of the model.</summary>
    public int Layers => layers;
}
