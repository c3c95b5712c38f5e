using System.Collections.Immutable;
using Parallax.Cli.Run;
using Parallax.Contracts.Identifiers;
using Parallax.Contracts.V1;
using Parallax.ModelFiles.Shapes;
using Parallax.ModelFiles.Storage;
using Parallax.Runtime.Cpu;
using Parallax.Runtime.Execution;
using Parallax.Runtime.Models;
using Parallax.Worker.Gpu.Shards;
using NumericClass = Parallax.Contracts.V1.NumericClass;

namespace Parallax.Cli.Swarm;

/// <summary>What a swarm is told to serve.</summary>
/// <param name="Model">For the scheduler.</param>
/// <param name="Cut">The ranges of this process's workers, where the user asked for several; empty leaves it to the scheduler.</param>
/// <param name="Workers">Workers of this process.</param>
internal sealed record ServedDescription(PlannedModel Model, ImmutableArray<LayerRange> Cut, int Workers)
{
    /// <summary>Reads sizes from the model's headers.</summary>
    public static ServedDescription Of(RunSettings settings, ModelOnDisk held, TextWriter notes)
    {
        using var model = ModelSource.Open(settings.Model);
        using var backend = CpuBackend.Create(new CpuBackendOptions { Threads = 1 }); // says sizes, computes nothing
        var planned = Describe(
            new ShardRequest { ModelPath = settings.Model, Residual = settings.Residual, ContextLimit = settings.Context, MaxBatch = settings.MaxBatch },
            settings.Threads,
            held,
            model,
            backend);
        var workers = Math.Min(settings.Workers, model.Spec.Layers.Length);
        if (workers < settings.Workers)
        {
            notes.WriteLine($"The model has {model.Spec.Layers.Length} layers: {workers} workers instead of {settings.Workers}.");
        }

        return new ServedDescription(planned, workers == 1 ? [] : StageCut.Of(model.Spec, model.Weights, backend, workers), workers);
    }

    /// <summary>A model and how it is to be served, for the scheduler.</summary>
    /// <param name="request">Its path, and how.</param>
    /// <param name="threads">Compute threads of a shard; null for one per core.</param>
    /// <param name="held">Its files' hashes.</param>
    public static PlannedModel Describe(ShardRequest request, int? threads, ModelOnDisk held)
    {
        using var model = ModelSource.Open(request.ModelPath);
        using var backend = CpuBackend.Create(new CpuBackendOptions { Threads = 1 }); // says sizes, computes nothing
        return Describe(request, threads, held, model, backend);
    }

    private static PlannedModel Describe(ShardRequest request, int? threads, ModelOnDisk held, ModelSource model, IComputeBackend backend)
    {
        var loader = request.ToLoader(threads);
        var whole = ShardPlan.Of(model.Spec, model.Weights, backend, loader);
        return new PlannedModel
        {
            Shape = ModelShapeBuilder.Build(model, held.WeightsHash, held.ManifestHash, backend, loader),
            Residual = request.Residual == ResidualPrecision.F32 ? NumericClass.Types.Residual.F32 : NumericClass.Types.Residual.Bf16,
            ContextLimit = whole.ContextLimit,
            KvTokens = whole.KvTokens,
            MaxBatch = request.MaxBatch ?? 0,
        };
    }
}
