using Google.Protobuf;
using Parallax.Contracts.Identifiers;
using Parallax.Placement;
using Parallax.Runtime.Cpu;
using Parallax.Runtime.Execution;
using Parallax.Runtime.Models;
using Parallax.Runtime.Weights;
using Wire = Parallax.Contracts.V1;

namespace Parallax.Cli.Plan;

/// <summary>The shape of a model: from its files, whose headers say every size exactly, or from a description.</summary>
internal static class ModelShapes
{
    private const long MostBytes = 64L << 20;

    /// <summary>Reads a model folder, a .gguf file, or a .json file with a <c>parallax.v1.ModelShape</c>.</summary>
    /// <exception cref="ModelFormatException">It is none of these, or is wrong.</exception>
    public static ModelShape Read(string path, ResidualPrecision residual)
    {
        if (!File.Exists(path) || !path.EndsWith(".json", StringComparison.OrdinalIgnoreCase))
        {
            using var model = ModelSource.Open(path);
            return Of(model, residual);
        }

        try
        {
            if (new FileInfo(path).Length > MostBytes)
            {
                throw new IOException($"it is larger than {MostBytes >> 20} MiB");
            }

            var shape = JsonParser.Default.Parse<Wire.ModelShape>(File.ReadAllText(path)).ToShape();
            return shape.Name.Length > 0 && shape.Layers.Length > 0
                ? shape
                : throw new ModelFormatException(path, "a model's shape needs \"name\" and \"layers\"");
        }
        catch (Exception e) when (e is InvalidProtocolBufferException or InvalidJsonException or IOException or UnauthorizedAccessException)
        {
            throw new ModelFormatException(path, $"it cannot be read as a model's shape: {e.Message}", cause: e);
        }
    }

    private static ModelShape Of(ModelSource model, ResidualPrecision residual)
    {
        var spec = model.Spec;
        using var backend = CpuBackend.Create(new CpuBackendOptions { Threads = 1 }); // says sizes, computes nothing
        var sizes = new WeightSizes(spec, model.Weights, backend);
        var options = new LocalEngineOptions { ModelPath = model.Path, Residual = residual };
        var whole = ShardPlan.Of(spec, model.Weights, backend, options);
        var first = ShardPlan.Of(spec, model.Weights, backend, options with { Range = new LayerRange(0, 1) });
        return new ModelShape(
            model.DisplayName,
            model.WeightsHash,
            [.. Enumerable.Range(0, spec.Layers.Length).Select(index => Layer(model, sizes, backend, residual, index))],
            sizes.Embedding,
            sizes.Head,
            spec.Head == spec.Embedding,
            2.0 * spec.VocabularySize * spec.HiddenSize,
            spec.HiddenSize * (residual == ResidualPrecision.BF16 ? 2L : 4L))
        {
            ContextLimit = spec.MaxPositions,
            ScratchBytes = Math.Max(whole.ScratchBytes, first.ScratchBytes + first.JournalBytes),
        };
    }

    private static LayerShape Layer(ModelSource model, WeightSizes sizes, IComputeBackend backend, ResidualPrecision residual, int index)
    {
        var layer = model.Spec.Layers[index];
        var attention = layer.Attention;
        double hidden = model.Spec.HiddenSize;
        var projections = hidden * attention.HeadDim * ((2 * attention.Heads) + (2 * attention.KvHeads));
        var feedForward = layer.FeedForward switch
        {
            DenseFeedForwardSpec dense => 3 * hidden * dense.IntermediateSize,
            MoeFeedForwardSpec moe => (hidden * moe.Experts.Length) + (3 * hidden * moe.IntermediateSize * moe.TopK),
            _ => throw new InvalidOperationException($"unknown feed-forward block {layer.FeedForward.GetType().Name}"),
        };
        return new LayerShape(
            sizes.Layer(index),
            backend.KvBlockBytes(attention, residual) / KvGroup.BlockTokens,
            2 * (projections + feedForward))
        {
            Window = attention.Window,
            FlopsPerContextToken = 4.0 * attention.Heads * attention.HeadDim,
            Experts = layer.FeedForward is MoeFeedForwardSpec mixture
                ? new ExpertShape(mixture.Experts.Length, mixture.TopK, ExpertBytes(model, backend, mixture))
                : null,
        };
    }

    private static long ExpertBytes(ModelSource model, IComputeBackend backend, MoeFeedForwardSpec mixture)
    {
        var (expert, hidden) = (mixture.Experts[0], model.Spec.HiddenSize);
        return Matrix(expert.Gate, mixture.IntermediateSize, hidden)
            + Matrix(expert.Up, mixture.IntermediateSize, hidden)
            + Matrix(expert.Down, hidden, mixture.IntermediateSize);

        long Matrix(TensorRef tensor, int rows, int columns) => backend.MatrixBytes(model.Weights.Open(tensor, rows, columns).Format, rows, columns);
    }
}
