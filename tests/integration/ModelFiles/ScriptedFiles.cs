using Grpc.Core;
using Microsoft.Extensions.Logging.Abstractions;
using Parallax.Contracts.V1;
using Parallax.ModelFiles.Serving;
using Parallax.ModelFiles.Storage;

namespace Parallax.IntegrationTests.ModelFiles;

/// <summary>The real service with something done to what it sends.</summary>
internal sealed class ScriptedFiles(ModelStore store) : Contracts.V1.ModelFiles.ModelFilesBase
{
    private readonly ModelFilesService _real = new(store, NullLogger<ModelFilesService>.Instance);
    private int _fetches;

    /// <summary>Called before each part of a chunk is sent; may change it, wait or throw.</summary>
    public Func<ChunkPart, CancellationToken, Task> OnPart { get; init; } = static (_, _) => Task.CompletedTask;

    /// <summary>Called before the head of a manifest is sent; may change it.</summary>
    public Action<ManifestHead> OnHead { get; init; } = static _ => { };

    /// <summary>Fetch calls so far.</summary>
    public int Fetches => _fetches;

    public override Task GetManifest(GetManifestRequest request, IServerStreamWriter<ManifestPart> responseStream, ServerCallContext context) =>
        _real.GetManifest(
            request,
            new Writer<ManifestPart>(responseStream, (part, _) =>
            {
                if (part.Head is { } head)
                {
                    OnHead(head);
                }

                return Task.CompletedTask;
            }),
            context);

    public override Task Fetch(FetchRequest request, IServerStreamWriter<ChunkPart> responseStream, ServerCallContext context)
    {
        Interlocked.Increment(ref _fetches);
        return _real.Fetch(request, new Writer<ChunkPart>(responseStream, OnPart), context);
    }

    private sealed class Writer<T>(IServerStreamWriter<T> inner, Func<T, CancellationToken, Task> before) : IServerStreamWriter<T>
    {
        public WriteOptions? WriteOptions
        {
            get => inner.WriteOptions;
            set => inner.WriteOptions = value;
        }

        public Task WriteAsync(T message) => WriteAsync(message, CancellationToken.None);

        public async Task WriteAsync(T message, CancellationToken cancellationToken)
        {
            await before(message, cancellationToken);
            await inner.WriteAsync(message, cancellationToken);
        }
    }
}
