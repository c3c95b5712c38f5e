namespace Parallax.Runtime.Execution;

/// <summary>How far loading is.</summary>
/// <param name="LayersLoaded">Layers done.</param>
/// <param name="LayersTotal">Layers to load.</param>
/// <param name="BytesLoaded">Weight bytes on the device so far.</param>
public readonly record struct LoadProgress(int LayersLoaded, int LayersTotal, long BytesLoaded);
