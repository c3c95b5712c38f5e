using Parallax.Runtime.Cpu;
using Parallax.Runtime.Models;
using Parallax.Runtime.Weights;

namespace Parallax.Runtime.Execution;

/// <summary>
/// Loads a model, or a range of its layers, onto this machine's CPU in two steps: open and plan, which reads headers
/// only, and load. In between the caller decides whether there is room. Not thread-safe.
/// </summary>
public sealed class ShardLoader : IDisposable
{
    private readonly ModelSource _model;
    private readonly LocalEngineOptions _options;
    private IComputeBackend? _backend;

    private ShardLoader(ModelSource model, IComputeBackend backend, LocalEngineOptions options)
    {
        _model = model;
        _backend = backend;
        _options = options;
        Plan = ShardPlan.Of(model.Spec, model.Weights, backend, options);
    }

    /// <summary>The model's short name.</summary>
    public string ModelName => _model.DisplayName;

    /// <summary>The whole model.</summary>
    public ModelSpec Spec => _model.Spec;

    /// <summary>What loading comes to.</summary>
    public ShardPlan Plan { get; }

    /// <summary>Opens and plans.</summary>
    /// <exception cref="ModelFormatException">The model cannot be read or is not supported; says what and where.</exception>
    /// <exception cref="LayerRangeException">It has no such layers.</exception>
    public static ShardLoader Open(LocalEngineOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        var model = ModelSource.Open(options.ModelPath);
        IComputeBackend? backend = null;
        try
        {
            var layers = model.Spec.Layers.Length;
            if (options.Range is { } range && (range.Start < 0 || range.End > layers || range.Count < 1))
            {
                throw new LayerRangeException(model.DisplayName, range, layers);
            }

            backend = CpuBackend.Create(new CpuBackendOptions { Threads = options.Threads ?? 0 });
            return new ShardLoader(model, backend, options);
        }
        catch
        {
            backend?.Dispose();
            model.Dispose();
            throw;
        }
    }

    /// <summary>Reads the range's tensors, once, and warms them up. Blocks for as long as that takes.</summary>
    /// <param name="progress">Told after each layer; may be null.</param>
    /// <param name="cancellationToken">Aborts between layers or steps, freeing what was loaded.</param>
    /// <exception cref="ModelFormatException">A tensor cannot be computed with; names file and tensor.</exception>
    public LoadedShard Load(IProgress<LoadProgress>? progress = null, CancellationToken cancellationToken = default)
    {
        var backend = _backend ?? throw new InvalidOperationException("the shard has been loaded, or its loader disposed");
        var shard = ModelShard.Load(
            _model.Spec,
            _model.Weights,
            backend,
            new ModelShardOptions
            {
                Range = Plan.Range,
                KvTokens = Plan.KvTokens,
                Residual = _options.Residual,
                Links = _options.Links,
                WeightsHash = _options.WeightsHash ?? _model.WeightsHash,
            },
            progress,
            cancellationToken);
        try
        {
            var measured = ShardWarmUp.Run(shard, _options.WarmUpTime, cancellationToken);
            _backend = null; // the loaded shard's
            return new LoadedShard(_model, Plan, shard, backend, _options.Executor, measured);
        }
        catch
        {
            shard.Dispose();
            throw;
        }
    }

    /// <summary>Closes the model's files.</summary>
    public void Dispose()
    {
        _backend?.Dispose();
        _backend = null;
        _model.Dispose();
    }
}
