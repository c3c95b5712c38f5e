using System.Buffers;
using Google.Protobuf;
using Grpc.Core;
using Microsoft.Extensions.Logging;
using Parallax.Contracts.V1;
using Parallax.ModelFiles.Storage;

namespace Parallax.ModelFiles.Serving;

/// <summary>
/// Gives model files to peers: only models that the store knows, only chunks that are here, and only so many streams at
/// once, each with one chunk in memory. A reader that takes nothing for a while loses its stream.
/// </summary>
internal sealed partial class ModelFilesService(ModelStore store, ILogger<ModelFilesService> logger) : Contracts.V1.ModelFiles.ModelFilesBase
{
    private const int PartBytes = 64 * 1024;
    private const int ManifestPartBytes = 256 * 1024;
    private const int MostChunks = 4096;

    private readonly ServeSlots _manifestSlots = new(store.Options.MaxServeStreams);
    private readonly ServeSlots _chunkSlots = new(store.Options.MaxServeStreams);

    public override async Task GetManifest(GetManifestRequest request, IServerStreamWriter<ManifestPart> responseStream, ServerCallContext context)
    {
        using var slot = Take(_manifestSlots);
        var source = Source(request.WeightsHash);
        var held = source.Held();
        var head = new ManifestHead { ManifestHash = source.Manifest.Hash, Length = source.Manifest.Encoded.Length, Whole = held.IsFull };
        if (!held.IsFull)
        {
            head.Chunks = UnsafeByteOperations.UnsafeWrap(held.ToArray());
        }

        using var patience = CancellationTokenSource.CreateLinkedTokenSource(context.CancellationToken);
        await WriteAsync(responseStream, new ManifestPart { Head = head }, patience);
        var encoded = source.Manifest.Encoded;
        for (var offset = 0; request.WithContents && offset < encoded.Length; offset += ManifestPartBytes)
        {
            var part = encoded.Slice(offset, Math.Min(ManifestPartBytes, encoded.Length - offset));
            await WriteAsync(responseStream, new ManifestPart { Contents = UnsafeByteOperations.UnsafeWrap(part) }, patience);
        }
    }

    public override async Task Fetch(FetchRequest request, IServerStreamWriter<ChunkPart> responseStream, ServerCallContext context)
    {
        using var slot = Take(_chunkSlots);
        var source = Source(request.WeightsHash);
        var first = Check(request, source);
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(context.CancellationToken);
        var buffer = ArrayPool<byte>.Shared.Rent(source.Manifest.ChunkBytes);
        try
        {
            foreach (var index in request.Chunks)
            {
                var chunk = buffer.AsMemory(0, source.Manifest.LengthOf(first + index));
                await source.ReadAsync(first + index, chunk, context.CancellationToken);
                for (var offset = 0; offset < chunk.Length; offset += PartBytes)
                {
                    // The buffer is free again when the write has completed: the part has been serialised by then.
                    var data = UnsafeByteOperations.UnsafeWrap(chunk.Slice(offset, Math.Min(PartBytes, chunk.Length - offset)));
                    await WriteAsync(responseStream, new ChunkPart { Chunk = index, Offset = offset, Data = data }, patience);
                }

                store.Counters.CountServed(chunk.Length);
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException && !context.CancellationToken.IsCancellationRequested)
        {
            LogUnreadable(source.Path, e.Message);
            throw new RpcException(new Status(StatusCode.FailedPrecondition, "The file cannot be read here any more."));
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    /// <summary>The file's first chunk, after everything in the request has been checked.</summary>
    private static int Check(FetchRequest request, IChunkSource source)
    {
        var manifest = source.Manifest;
        if (request.ManifestHash != manifest.Hash)
        {
            throw new RpcException(new Status(StatusCode.FailedPrecondition, $"The model's manifest here is {manifest.Hash}."));
        }

        if (request.File < 0 || request.File >= manifest.Files.Length || request.Chunks.Count is < 1 or > MostChunks)
        {
            throw new RpcException(new Status(
                StatusCode.InvalidArgument, $"Ask for 1 to {MostChunks} chunks of a file in [0,{manifest.Files.Length}), not {request.Chunks.Count} of {request.File}."));
        }

        var file = manifest.Files[request.File];
        var last = -1;
        foreach (var index in request.Chunks)
        {
            if (index <= last || index >= file.ChunkCount)
            {
                throw new RpcException(new Status(StatusCode.InvalidArgument, $"Chunks are ascending and in [0,{file.ChunkCount}); {index} after {last} is not."));
            }

            last = index;
        }

        var held = source.Held();
        foreach (var index in request.Chunks.Where(index => !held.Contains(file.FirstChunk + index)))
        {
            throw new RpcException(new Status(StatusCode.FailedPrecondition, $"Chunk {index} of {file.Name} is not here."));
        }

        return file.FirstChunk;
    }

    private IChunkSource Source(string weightsHash) =>
        store.Source(weightsHash) ?? throw new RpcException(new Status(StatusCode.NotFound, "Nothing of that model is here."));

    private ServeSlots.Slot Take(ServeSlots slots)
    {
        if (slots.TryTake() is { } slot)
        {
            return slot;
        }

        store.Counters.CountRefused();
        throw new RpcException(new Status(StatusCode.ResourceExhausted, $"{slots.Most} streams of model files run here, which is all there may be; try later or elsewhere."));
    }

    private async Task WriteAsync<T>(IServerStreamWriter<T> stream, T message, CancellationTokenSource patience)
    {
        using var late = store.Clock.CreateTimer(static state => ((CancellationTokenSource)state!).Cancel(), patience, store.Options.Patience, Timeout.InfiniteTimeSpan);
        await stream.WriteAsync(message, patience.Token);
    }

    [LoggerMessage(20, LogLevel.Warning, "A file of {Path} cannot be read for a peer: {Problem}")]
    private partial void LogUnreadable(string path, string problem);
}
