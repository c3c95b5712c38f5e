using Parallax.Contracts.Identifiers;

namespace Parallax.ModelFiles.Storage;

/// <summary>What a worker is to have.</summary>
/// <param name="Name">What the swarm calls the model; it is found under this name when it is opened.</param>
/// <param name="WeightsHash">Which weights; 64 hexadecimal digits.</param>
/// <param name="Layers">The layers; null for all.</param>
public sealed record WantedModel(string Name, string WeightsHash, LayerRange? Layers)
{
    /// <summary>Which manifest is trusted, as a plan or record names it; null trusts what all peers that answer agree in.</summary>
    public string? ManifestHash { get; init; }
}
