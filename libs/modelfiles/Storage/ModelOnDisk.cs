using Parallax.Contracts.Identifiers;

namespace Parallax.ModelFiles.Storage;

/// <summary>A model that this machine has, whole or in part.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Path">Its folder or .gguf file.</param>
/// <param name="WeightsHash">Which weights.</param>
/// <param name="ManifestHash">Which manifest describes its files.</param>
/// <param name="IsWhole">Whether all files are there.</param>
/// <param name="Layers">Else the runs of layers that can be loaded.</param>
public sealed record ModelOnDisk(string Name, string Path, string WeightsHash, string ManifestHash, bool IsWhole, IReadOnlyList<LayerRange> Layers);
