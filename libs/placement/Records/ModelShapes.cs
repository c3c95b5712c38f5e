using System.Collections.Immutable;
using WireLayer = Parallax.Contracts.V1.LayerShape;
using WireShape = Parallax.Contracts.V1.ModelShape;

namespace Parallax.Placement.Records;

/// <summary>Model shapes as they cross processes.</summary>
public static class ModelShapes
{
    /// <summary>Decoder layers of a model at most.</summary>
    public const int MostLayers = 4096;

    private const long MostBytes = 1L << 50;
    private const int MostNameLength = 256;

    /// <summary>Everything that is wrong with a shape; empty when it can be read.</summary>
    public static ImmutableArray<string> Problems(WireShape? shape)
    {
        if (shape is null)
        {
            return ["The model's shape is missing."];
        }

        var problems = ImmutableArray.CreateBuilder<string>();
        Require(shape.Name.Length is > 0 and <= MostNameLength && !shape.Name.Any(char.IsControl), $"name must have 1 to {MostNameLength} printable characters.");
        Require(shape.WeightsHash.Length is > 0 and <= 128 && shape.WeightsHash.All(char.IsAsciiHexDigit), "weights_hash must be hexadecimal.");
        Require(shape.ManifestHash.Length <= 128 && shape.ManifestHash.All(char.IsAsciiHexDigit), "manifest_hash must be hexadecimal or empty.");
        Require(shape.Layers.Count is > 0 and <= MostLayers, $"layers: {shape.Layers.Count} is out of range; a model has 1 to {MostLayers}.");
        Require(IsSize(shape.EmbeddingBytes), $"embedding_bytes: {shape.EmbeddingBytes} is out of range.");
        Require(IsSize(shape.HeadBytes), $"head_bytes: {shape.HeadBytes} is out of range.");
        Require(IsSize(shape.HiddenBytes) && shape.HiddenBytes > 0, $"hidden_bytes: {shape.HiddenBytes} is out of range.");
        Require(IsSize(shape.ScratchBytes), $"scratch_bytes: {shape.ScratchBytes} is out of range.");
        Require(IsWork(shape.HeadFlops), $"head_flops: {shape.HeadFlops} is out of range.");
        Require(shape.ContextLimit >= 0, $"context_limit: {shape.ContextLimit} is negative.");
        for (var i = 0; i < shape.Layers.Count && problems.Count < 16; i++)
        {
            var layer = shape.Layers[i];
            Require(IsSize(layer.WeightBytes), $"layers[{i}].weight_bytes: {layer.WeightBytes} is out of range.");
            Require(IsSize(layer.KvBytesPerToken), $"layers[{i}].kv_bytes_per_token: {layer.KvBytesPerToken} is out of range.");
            Require(layer.Window >= 0, $"layers[{i}].window: {layer.Window} is negative.");
            Require(IsWork(layer.Flops), $"layers[{i}].flops: {layer.Flops} is out of range.");
            Require(
                IsWork(layer.FlopsPerContextToken), $"layers[{i}].flops_per_context_token: {layer.FlopsPerContextToken} is out of range.");
            Require(
                layer.Experts == 0 || (layer.Experts > 0 && layer.ExpertsPerToken > 0 && layer.ExpertsPerToken <= layer.Experts && IsSize(layer.ExpertBytes)),
                $"layers[{i}]: {layer.ExpertsPerToken} of {layer.Experts} experts of {layer.ExpertBytes} bytes make no sense.");
        }

        return problems.ToImmutable();

        void Require(bool condition, string problem)
        {
            if (!condition)
            {
                problems.Add(problem);
            }
        }
    }

    /// <summary>Reads a shape that has no <see cref="Problems"/>.</summary>
    public static ModelShape FromWire(WireShape shape)
    {
        ArgumentNullException.ThrowIfNull(shape);
        return new ModelShape(
            shape.Name,
            shape.WeightsHash,
            [.. shape.Layers.Select(static layer => new LayerShape(layer.WeightBytes, layer.KvBytesPerToken, layer.Flops)
            {
                Window = layer.Window == 0 ? null : layer.Window,
                FlopsPerContextToken = layer.FlopsPerContextToken,
                Experts = layer.Experts == 0 ? null : new ExpertShape(layer.Experts, layer.ExpertsPerToken, layer.ExpertBytes),
            })],
            shape.EmbeddingBytes,
            shape.HeadBytes,
            shape.Tied,
            shape.HeadFlops,
            shape.HiddenBytes)
        {
            ManifestHash = shape.ManifestHash,
            ScratchBytes = shape.ScratchBytes,
            ContextLimit = shape.ContextLimit == 0 ? int.MaxValue : shape.ContextLimit,
        };
    }

    /// <summary>Writes a shape; what the wire has no field for is left out.</summary>
    /// <param name="shape">The shape.</param>
    /// <param name="canChat">Whether the model has a chat template.</param>
    public static WireShape ToWire(ModelShape shape, bool canChat)
    {
        ArgumentNullException.ThrowIfNull(shape);
        var wire = new WireShape
        {
            Name = shape.Name,
            WeightsHash = shape.WeightsHash,
            ManifestHash = shape.ManifestHash,
            EmbeddingBytes = shape.EmbeddingBytes,
            HeadBytes = shape.HeadBytes,
            Tied = shape.IsTied,
            HeadFlops = shape.HeadFlops,
            HiddenBytes = shape.HiddenBytes,
            ContextLimit = shape.ContextLimit == int.MaxValue ? 0 : shape.ContextLimit,
            ScratchBytes = shape.ScratchBytes,
            CanChat = canChat,
        };
        wire.Layers.AddRange(shape.Layers.Select(static layer => new WireLayer
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

    private static bool IsSize(long bytes) => bytes is >= 0 and <= MostBytes;

    private static bool IsWork(double flops) => double.IsFinite(flops) && flops is >= 0 and < 1e18;
}
