namespace Parallax.Worker.Gpu;

/// <summary>The model that a worker serves, as routers are told.</summary>
/// <param name="Name">Its display name; routers use a worker only for the model of the same name.</param>
/// <param name="LayerCount">Decoder layers of the whole model.</param>
public sealed record WorkerModel(string Name, int LayerCount);
