using Grpc.Core;
using Grpc.Net.Client;
using Microsoft.Extensions.Logging;
using Parallax.Contracts.Identifiers;
using Parallax.ModelFiles.Fetching;
using Parallax.ModelFiles.Manifests;
using Parallax.Runtime.Execution;
using Parallax.Runtime.Models;

namespace Parallax.ModelFiles.Storage;

public sealed partial class ModelStore
{
    /// <summary>
    /// Makes sure that layers of a model can be loaded, fetching what is missing from peers. Goes on where an earlier call,
    /// in this process or another, stopped. Cancelling keeps what has arrived.
    /// </summary>
    /// <param name="wanted">Which model and layers.</param>
    /// <param name="peers">Who may have them; may be empty when all is here.</param>
    /// <param name="channels">Gives the channel to a peer, whose id it checks where one is given. Channels stay the giver's.</param>
    /// <param name="progress">Told after each chunk, from any thread, one at a time; may be null.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>The path to load from, under which the model has the wanted name; the weights hash is the wanted one.</returns>
    /// <exception cref="ModelFilesException">It cannot be had; says why.</exception>
    /// <exception cref="LayerRangeException">The model has no such layers.</exception>
    public async Task<string> EnsureAsync(
        WantedModel wanted,
        IReadOnlyList<ModelPeer> peers,
        Func<Uri, PeerId?, GrpcChannel> channels,
        IProgress<FetchProgress>? progress,
        CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(wanted);
        ArgumentNullException.ThrowIfNull(peers);
        ArgumentNullException.ThrowIfNull(channels);
        if (!IsHash(wanted.WeightsHash))
        {
            throw new ModelFilesException(ModelFilesProblem.Name, "A weights hash has 64 hexadecimal digits in lower case; this one has not.");
        }

        await StartIndexing().WaitAsync(cancellationToken);
        using var turn = await FolderLock.TakeAsync(Path.Combine(_options.CacheFolder, "locks", wanted.WeightsHash), _clock, cancellationToken);
        if (_local.TryGetValue(wanted.WeightsHash, out var local))
        {
            return Named(local, wanted.Name);
        }

        var cached = OpenCached(wanted.WeightsHash);
        if (cached is not null && wanted.ManifestHash is { } named && cached.Manifest.Hash != named)
        {
            LogReplaced(cached.Name, cached.Manifest.Hash[..12], named);
            Forget(wanted.WeightsHash);
            cached = null;
        }

        if (cached is null || !cached.Held().Covers(Chunks(cached.Manifest, wanted)))
        {
            try
            {
                cached = await FetchAsync(wanted, cached, peers, channels, progress, cancellationToken);
            }
            catch (RpcException e) when (cancellationToken.IsCancellationRequested)
            {
                throw new OperationCanceledException("The download was given up.", e, cancellationToken);
            }
        }

        await VerifyAsync(cached, cancellationToken);
        return Named(cached, wanted.Name);
    }

    private async Task<CachedModel> FetchAsync(
        WantedModel wanted,
        CachedModel? cached,
        IReadOnlyList<ModelPeer> peers,
        Func<Uri, PeerId?, GrpcChannel> channels,
        IProgress<FetchProgress>? progress,
        CancellationToken cancellationToken)
    {
        var fetcher = new ModelFetcher(_options, _banned, channels, Counters, _clock, _logger);
        var asked = await fetcher.AskAsync(wanted.Name, wanted.WeightsHash, peers, cancellationToken);
        if (cached is null)
        {
            var manifest = await fetcher.ReadManifestAsync(wanted, wanted.ManifestHash, asked, cancellationToken);
            Chunks(manifest, wanted); // refuses a wrong range before anything is written
            Disk.Guard(() => cached = CachedModel.Create(FolderOf(wanted.WeightsHash), wanted.Name, manifest));
            _cached[wanted.WeightsHash] = cached!;
        }
        else
        {
            ManifestChoice.Choose(wanted.Name, cached.Manifest.Hash, [.. asked.Select(static peer => (peer.Peer.ToString(), peer.Head.ManifestHash))]);
        }

        var chunks = Chunks(cached!.Manifest, wanted);
        Disk.RequireRoom(_options.CacheFolder, cached.Manifest.LengthOf(chunks.Except(cached.Held())));
        LogFetching(wanted.Name, wanted.Layers, chunks.Except(cached.Held()).Count, asked.Count);
        await fetcher.FetchAsync(cached, chunks, asked, progress, cancellationToken);
        return cached;
    }

    /// <summary>A model that has become whole must have the weights hash that it was fetched for.</summary>
    private async Task VerifyAsync(CachedModel cached, CancellationToken cancellationToken)
    {
        if (cached.IsVerified || !cached.Held().IsFull)
        {
            return;
        }

        var hash = await Task.Run(
            () =>
            {
                using var model = ModelSource.Open(cached.Path);
                return model.WeightsHash;
            },
            cancellationToken);
        if (hash != cached.Manifest.WeightsHash)
        {
            Forget(cached.Manifest.WeightsHash);
            throw new ModelFilesException(
                ModelFilesProblem.Mismatch,
                $"The files of '{cached.Name}' came as their manifest {cached.Manifest.Hash[..12]} says, but they are the model {hash[..12]} and not {cached.Manifest.WeightsHash[..12]}: whoever made the manifest lies. They have been deleted.");
        }

        Disk.Guard(cached.MarkVerified);
    }

    private static ChunkSet Chunks(ModelManifest manifest, WantedModel wanted) =>
        wanted.Layers is { } range && (range.Start < 0 || range.End > manifest.LayerCount || range.Count < 1)
            ? throw new LayerRangeException(wanted.Name, range, manifest.LayerCount)
            : manifest.ChunksOf(wanted.Layers);

    private void Forget(string weightsHash)
    {
        if (_cached.TryRemove(weightsHash, out var model))
        {
            model.Dispose();
        }

        Disk.Guard(() => Directory.Delete(FolderOf(weightsHash), recursive: true));
    }

    /// <summary>The model's path if it has that name there, else a link of that name to it.</summary>
    private string Named(IChunkSource source, string name)
    {
        if (source.Name == name)
        {
            return source.Path;
        }

        var link = Path.Combine(_options.CacheFolder, "names", source.Manifest.WeightsHash, ModelNaming.RelativePath(name, source.Manifest.Layout));
        FileSystemInfo entry = source.Manifest.Layout == ModelLayout.Gguf ? new FileInfo(link) : new DirectoryInfo(link);
        if (entry.LinkTarget != source.Path)
        {
            Disk.Guard(() =>
            {
                Directory.CreateDirectory(Path.GetDirectoryName(link)!);
                if (entry.LinkTarget is not null)
                {
                    entry.Delete(); // it leads elsewhere; the link goes, not what it leads to
                }

                entry.CreateAsSymbolicLink(source.Path);
            });
        }

        return link;
    }

    [LoggerMessage(3, LogLevel.Information, "Fetching {Model} {Layers}: {Chunks} chunks, from {Peers} peers")]
    private partial void LogFetching(string model, LayerRange? layers, int chunks, int peers);

    [LoggerMessage(4, LogLevel.Warning, "The files of {Model} were fetched by manifest {Old} and are deleted: {New} is trusted now")]
    private partial void LogReplaced(string model, string old, string @new);
}
