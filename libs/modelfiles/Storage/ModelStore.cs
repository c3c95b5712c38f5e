using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;
using Parallax.Contracts.V1;
using Parallax.ModelFiles.Fetching;
using Parallax.ModelFiles.Manifests;
using Parallax.Runtime.Models;
using Parallax.Runtime.Weights;

namespace Parallax.ModelFiles.Storage;

/// <summary>
/// The models that this machine has: those a user named, which are only read, and those fetched from peers, whole or in
/// part, in a cache folder that several processes may share. Thread-safe.
/// </summary>
public sealed partial class ModelStore : IAsyncDisposable
{
    private readonly ModelStoreOptions _options;
    private readonly TimeProvider _clock;
    private readonly ILogger<ModelStore> _logger;
    private readonly ManifestCache _manifests;
    private readonly BannedPeers _banned = new();
    private readonly ConcurrentDictionary<string, LocalModel> _local = new(StringComparer.Ordinal); // by weights hash
    private readonly ConcurrentDictionary<string, CachedModel> _cached = new(StringComparer.Ordinal);
    private readonly SemaphoreSlim _indexGate = new(1, 1); // one model is hashed at a time
    private readonly CancellationTokenSource _stopping = new();
    private readonly Lock _gate = new(); // guards _indexing
    private Task? _indexing;

    /// <param name="options">Where to look, and limits.</param>
    /// <param name="clock">The time.</param>
    /// <param name="logger">Told of models found, fetched and refused.</param>
    public ModelStore(ModelStoreOptions options, TimeProvider clock, ILogger<ModelStore> logger)
    {
        ArgumentNullException.ThrowIfNull(options);
        _options = options;
        _clock = clock;
        _logger = logger;
        _manifests = new ManifestCache(Path.Combine(options.CacheFolder, "manifests"));
    }

    /// <summary>What has been fetched, served and refused.</summary>
    public ModelStoreCounters Counters { get; } = new();

    internal ModelStoreOptions Options => _options;

    internal TimeProvider Clock => _clock;

    /// <summary>
    /// Begins to look at all paths and at the cache, in the background: models that were hashed before are known at once,
    /// others after every byte of them has been read. The same task each time; it ends when all are known.
    /// </summary>
    public Task StartIndexing()
    {
        lock (_gate)
        {
            return _indexing ??= Task.Run(() => IndexAsync(_stopping.Token));
        }
    }

    /// <summary>Looks at one model now, so that it can be found and served.</summary>
    /// <param name="path">A model's folder or .gguf file.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="ModelFormatException">It cannot be read or is not supported.</exception>
    /// <exception cref="ModelFilesException">Its files cannot be described.</exception>
    public async Task<ModelOnDisk> AddAsync(string path, CancellationToken cancellationToken)
    {
        await _indexGate.WaitAsync(cancellationToken);
        try
        {
            return await Task.Run(() => Add(path, cancellationToken), cancellationToken);
        }
        finally
        {
            _indexGate.Release();
        }
    }

    /// <summary>A model of these weights; null when nothing of it is here, or it has not been looked at yet.</summary>
    public ModelOnDisk? Find(string weightsHash) => Source(weightsHash) is { } source ? Describe(source) : null;

    /// <summary>Everything that is here, as a worker's record says it; ordered by hash.</summary>
    public IReadOnlyList<HeldModel> Held() =>
        [.. Sources().Select(Describe).Where(static model => model.IsWhole || model.Layers.Count > 0).Select(ToWire)];

    /// <summary>Stops looking and closes all files.</summary>
    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        Task? indexing;
        lock (_gate)
        {
            indexing = _indexing;
        }

        if (indexing is not null)
        {
            await indexing.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        foreach (var model in _local.Values)
        {
            model.Dispose();
        }

        foreach (var model in _cached.Values)
        {
            model.Dispose();
        }

        _stopping.Dispose();
    }

    /// <summary>What chunks of these weights can be read from; null for none.</summary>
    internal IChunkSource? Source(string weightsHash) =>
        _local.TryGetValue(weightsHash, out var local) ? local : _cached.GetValueOrDefault(weightsHash);

    private static HeldModel ToWire(ModelOnDisk model)
    {
        var held = new HeldModel { Name = model.Name, WeightsHash = model.WeightsHash, ManifestHash = model.ManifestHash, Whole = model.IsWhole };
        if (!model.IsWhole)
        {
            held.Layers.AddRange(model.Layers.Select(static range => new LayerSpan { Start = range.Start, End = range.End }));
        }

        return held;
    }

    private static ModelOnDisk Describe(IChunkSource source)
    {
        var held = source.Held();
        return new ModelOnDisk(
            source.Name, source.Path, source.Manifest.WeightsHash, source.Manifest.Hash, held.IsFull, source.Manifest.LayersIn(held));
    }

    private IEnumerable<IChunkSource> Sources() => _local.Values.Concat<IChunkSource>(_cached.Where(pair => !_local.ContainsKey(pair.Key)).Select(static pair => pair.Value))
        .OrderBy(static source => source.Manifest.WeightsHash, StringComparer.Ordinal);

    private async Task IndexAsync(CancellationToken cancellationToken)
    {
        OpenCache();
        foreach (var path in _options.Paths.SelectMany(ModelsAt).Distinct(StringComparer.Ordinal))
        {
            try
            {
                await AddAsync(path, cancellationToken);
            }
            catch (Exception e) when (e is ModelFormatException or ModelFilesException or IOException or UnauthorizedAccessException)
            {
                LogUnusable(path, e.Message);
            }
        }
    }

    /// <summary>The model that a path names, or the models in the folder that it names.</summary>
    private static IEnumerable<string> ModelsAt(string path)
    {
        if (!Directory.Exists(path) || IsModel(path))
        {
            return [path];
        }

        return Directory.EnumerateFileSystemEntries(path).Where(IsModel).Order(StringComparer.Ordinal);
    }

    private static bool IsModel(string path) =>
        Directory.Exists(path) ? File.Exists(Path.Combine(path, "config.json")) : path.EndsWith(".gguf", StringComparison.OrdinalIgnoreCase);

    private ModelOnDisk Add(string path, CancellationToken cancellationToken)
    {
        using var model = ModelSource.Open(path);
        var files = ManifestBuilder.FilesOf(model);
        var paths = files.Select(static file => Path.GetFullPath(file.Path)).ToArray();
        var manifest = _manifests.TryRead(path, [.. paths]);
        if (manifest is null)
        {
            manifest = ManifestBuilder.Build(model, model.WeightsHash, cancellationToken);
            Disk.Guard(() => _manifests.Write(path, [.. paths], manifest));
        }

        var local = new LocalModel(model.DisplayName, Path.GetFullPath(path), manifest, [.. paths]);
        if (!_local.TryAdd(manifest.WeightsHash, local))
        {
            local.Dispose();
            local = _local[manifest.WeightsHash];
        }

        LogFound(local.Name, manifest.WeightsHash[..12], local.Path);
        return Describe(local) with { Path = Path.GetFullPath(path), Name = model.DisplayName };
    }

    private void OpenCache()
    {
        if (!Directory.Exists(_options.CacheFolder))
        {
            return;
        }

        foreach (var folder in Directory.EnumerateDirectories(_options.CacheFolder).Where(static folder => IsHash(Path.GetFileName(folder))))
        {
            try
            {
                OpenCached(Path.GetFileName(folder));
            }
            catch (ModelFilesException e)
            {
                LogUnusable(folder, e.Message);
            }
        }
    }

    private CachedModel? OpenCached(string weightsHash)
    {
        if (_cached.TryGetValue(weightsHash, out var known))
        {
            return known;
        }

        CachedModel? opened = null;
        Disk.Guard(() => opened = CachedModel.TryOpen(FolderOf(weightsHash), weightsHash));
        if (opened is null)
        {
            return null;
        }

        if (_cached.TryAdd(weightsHash, opened))
        {
            return opened;
        }

        opened.Dispose();
        return _cached[weightsHash];
    }

    private string FolderOf(string weightsHash) => Path.Combine(_options.CacheFolder, weightsHash);

    private static bool IsHash(string text) => text.Length == 64 && text.All(static c => char.IsAsciiHexDigitLower(c));

    [LoggerMessage(1, LogLevel.Information, "Model {Model} ({Hash}) is at {Path}")]
    private partial void LogFound(string model, string hash, string path);

    [LoggerMessage(2, LogLevel.Warning, "No model can be given to others from {Path}: {Problem}")]
    private partial void LogUnusable(string path, string problem);
}
