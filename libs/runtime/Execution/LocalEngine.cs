using Parallax.Contracts.Identifiers;
using Parallax.Runtime.Cpu;
using Parallax.Runtime.Models;
using Parallax.Runtime.Weights;

namespace Parallax.Runtime.Execution;

/// <summary>A whole model loaded on this machine's CPU, and the engine that serves it.</summary>
public sealed class LocalEngine : IAsyncDisposable
{
    private readonly IComputeBackend _backend;
    private readonly Executor _executor;

    private LocalEngine(ModelSpec spec, string modelName, IComputeBackend backend, Executor executor, long weightBytes, long kvBytes)
    {
        Spec = spec;
        ModelName = modelName;
        WeightBytes = weightBytes;
        KvBytes = kvBytes;
        _backend = backend;
        _executor = executor;
    }

    /// <summary>The engine; disposed with this.</summary>
    public Executor Engine => _executor;

    /// <summary>What is computed.</summary>
    public ModelSpec Spec { get; }

    /// <summary>The model's short name.</summary>
    public string ModelName { get; }

    /// <summary>Instruction set and threads, for people.</summary>
    public string BackendDescription => _backend.Description;

    /// <summary>Memory of the weights, in bytes.</summary>
    public long WeightBytes { get; }

    /// <summary>Memory that the KV blocks take once all have been used, in bytes.</summary>
    public long KvBytes { get; }

    /// <summary>Loads the model. Blocks for as long as reading its weights takes.</summary>
    /// <exception cref="ModelFormatException">The model cannot be read or is not supported; says what and where.</exception>
    /// <exception cref="ArgumentException">Options make no sense together.</exception>
    public static LocalEngine Load(
        LocalEngineOptions options,
        ITokenSamplerFactory samplers,
        IProgress<LoadProgress>? progress = null,
        TimeProvider? timeProvider = null,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(options);
        using var model = ModelSource.Open(options.ModelPath);
        var backend = CpuBackend.Create(new CpuBackendOptions { Threads = options.Threads ?? 0 });
        try
        {
            var context = options.ContextLimit ?? Math.Min(model.Spec.MaxPositions, LocalEngineOptions.DefaultContext);
            var shard = ModelShard.Load(
                model.Spec,
                model.Weights,
                backend,
                new ModelShardOptions
                {
                    KvTokens = options.KvTokens ?? DefaultKvTokens(model.Spec, backend, options, context),
                    Residual = options.Residual,
                    WeightsHash = model.WeightsHash,
                },
                progress,
                cancellationToken);
            var executor = new Executor(
                shard,
                samplers,
                options.Executor with { ContextLimit = context },
                timeProvider);
            return new LocalEngine(model.Spec, model.DisplayName, backend, executor, shard.WeightBytes, shard.KvBytes);
        }
        catch
        {
            backend.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _executor.DisposeAsync();
        _backend.Dispose();
    }

    private static int DefaultKvTokens(ModelSpec spec, IComputeBackend backend, LocalEngineOptions options, int context)
    {
        var groups = KvGroups.Of(spec, new LayerRange(0, spec.Layers.Length), backend, options.Residual);
        var affordable = LocalEngineOptions.DefaultKvBytes / groups.Sum(group => group.BlockBytes) * KvGroup.BlockTokens;
        var wanted = (long)context * options.Executor.MaxBatch;
        return (int)Math.Max(context, Math.Min(wanted, affordable));
    }
}
