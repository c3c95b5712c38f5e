using Wire = Parallax.Contracts.V1;

namespace Parallax.Placement;

/// <summary>Models as placement sees them, in their wire form and back.</summary>
public static class ShapeMapping
{
    /// <summary>The wire form.</summary>
    /// <param name="shape">The model.</param>
    /// <param name="canChat">Whether it has a chat template, which placement does not ask about.</param>
    public static Wire.ModelShape ToWire(this ModelShape shape, bool canChat = false)
    {
        ArgumentNullException.ThrowIfNull(shape);
        var wire = new Wire.ModelShape
        {
            Name = shape.Name,
            WeightsHash = shape.WeightsHash,
            EmbeddingBytes = shape.EmbeddingBytes,
            HeadBytes = shape.HeadBytes,
            Tied = shape.IsTied,
            HeadFlops = shape.HeadFlops,
            HiddenBytes = shape.HiddenBytes,
            ContextLimit = shape.ContextLimit,
            ScratchBytes = shape.ScratchBytes,
            CanChat = canChat,
        };
        wire.Layers.AddRange(shape.Layers.Select(static layer => new Wire.LayerShape
        {
            WeightBytes = layer.WeightBytes,
            KvBytesPerToken = layer.KvBytesPerToken,
            Window = layer.Window ?? 0,
            Flops = layer.Flops,
            FlopsPerContextToken = layer.FlopsPerContextToken,
            Experts = layer.Experts?.Count ?? 0,
            ExpertsPerToken = layer.Experts?.PerToken ?? 0,
            ExpertBytes = layer.Experts?.BytesEach ?? 0,
        }));
        return wire;
    }

    /// <summary>From the wire form. Any figures are taken: planning bounds them itself.</summary>
    public static ModelShape ToShape(this Wire.ModelShape wire)
    {
        ArgumentNullException.ThrowIfNull(wire);
        return new ModelShape(
            wire.Name,
            wire.WeightsHash,
            [.. wire.Layers.Select(static layer => new LayerShape(layer.WeightBytes, layer.KvBytesPerToken, layer.Flops)
            {
                Window = layer.Window > 0 ? layer.Window : null,
                FlopsPerContextToken = layer.FlopsPerContextToken,
                Experts = layer.Experts > 0 ? new ExpertShape(layer.Experts, layer.ExpertsPerToken, layer.ExpertBytes) : null,
            })],
            wire.EmbeddingBytes,
            wire.HeadBytes,
            wire.Tied,
            wire.HeadFlops,
            wire.HiddenBytes)
        {
            ScratchBytes = wire.ScratchBytes,
            ContextLimit = wire.ContextLimit > 0 ? wire.ContextLimit : int.MaxValue,
        };
    }
}
