using Parallax.Hosting;
using Parallax.Runtime.Models;

namespace Parallax.PipelineBenchmark.Clusters;

/// <summary>Processes that serve one model.</summary>
/// <param name="Model">Its path.</param>
/// <param name="Layers">Its layers.</param>
/// <param name="Stages">Workers that share them; 1 is a worker with all of them and no map.</param>
/// <param name="Threads">Compute threads of each worker.</param>
internal sealed record ClusterPlan(string Model, int Layers, int Stages, int Threads)
{
    /// <summary>The router's mode of the request audit.</summary>
    public string Audit { get; init; } = "off";

    public string Name => Stages == 1 ? "1 process" : $"{Stages} stages";

    /// <summary>Opens the model for its number of layers.</summary>
    public static ClusterPlan Of(string model, int stages, int? threads)
    {
        OptionsException.ThrowIfAny(Path.Exists(model) ? [] : [$"--model: '{model}' does not exist."]);
        using var source = ModelSource.Open(model);
        return new ClusterPlan(model, source.Spec.Layers.Length, stages, BenchmarkOptions.ThreadsOf(threads, stages));
    }
}
