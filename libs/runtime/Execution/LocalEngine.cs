using Parallax.Runtime.Models;
using Parallax.Runtime.Weights;

namespace Parallax.Runtime.Execution;

/// <summary>A whole model loaded on this machine's CPU, and the engine that serves it.</summary>
public sealed class LocalEngine : IAsyncDisposable
{
    private readonly LoadedShard _loaded;

    private LocalEngine(LoadedShard loaded, Executor engine)
    {
        _loaded = loaded;
        Engine = engine;
    }

    /// <summary>The engine; disposed with this.</summary>
    public Executor Engine { get; }

    /// <summary>What is computed.</summary>
    public ModelSpec Spec => _loaded.Spec;

    /// <summary>The model's short name.</summary>
    public string ModelName => _loaded.ModelName;

    /// <summary>Instruction set and threads, for people.</summary>
    public string BackendDescription => _loaded.Backend.Description;

    /// <summary>Memory of the weights, in bytes.</summary>
    public long WeightBytes => _loaded.Shard.WeightBytes;

    /// <summary>Memory that the KV blocks take once all have been used, in bytes.</summary>
    public long KvBytes => _loaded.Shard.KvBytes;

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
        using var loader = ShardLoader.Open(options with { Range = null });
        var loaded = loader.Load(progress, cancellationToken);
        try
        {
            return new LocalEngine(loaded, new Executor(loaded.Shard, samplers, loaded.Limits, timeProvider));
        }
        catch
        {
            loaded.Shard.Dispose();
            loaded.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await Engine.DisposeAsync();
        _loaded.Dispose();
    }
}
