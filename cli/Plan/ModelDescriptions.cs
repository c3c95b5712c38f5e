using Google.Protobuf;
using Parallax.ModelFiles.Shapes;
using Parallax.Placement;
using Parallax.Placement.Records;
using Parallax.Runtime.Cpu;
using Parallax.Runtime.Execution;
using Parallax.Runtime.Models;
using Parallax.Runtime.Weights;
using Wire = Parallax.Contracts.V1;

namespace Parallax.Cli.Plan;

/// <summary>The shape of a model: from its files, whose headers say every size exactly, or from a description.</summary>
internal static class ModelDescriptions
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

            var shape = JsonParser.Default.Parse<Wire.ModelShape>(File.ReadAllText(path));
            return ModelShapes.Problems(shape) is { IsEmpty: false } problems
                ? throw new ModelFormatException(path, $"it describes no model: {string.Join(" ", problems)}")
                : ModelShapes.FromWire(shape);
        }
        catch (Exception e) when (e is InvalidProtocolBufferException or InvalidJsonException or IOException or UnauthorizedAccessException)
        {
            throw new ModelFormatException(path, $"it cannot be read as a model's shape: {e.Message}", cause: e);
        }
    }

    private static ModelShape Of(ModelSource model, ResidualPrecision residual)
    {
        using var backend = CpuBackend.Create(new CpuBackendOptions { Threads = 1 }); // says sizes, computes nothing
        var options = new LocalEngineOptions { ModelPath = model.Path, Residual = residual };
        return ModelShapes.FromWire(ModelShapeBuilder.Build(model, model.WeightsHash, manifestHash: "", backend, options));
    }
}
