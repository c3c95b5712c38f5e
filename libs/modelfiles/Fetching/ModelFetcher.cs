using System.Buffers;
using Grpc.Core;
using Grpc.Net.Client;
using Microsoft.Extensions.Logging;
using Parallax.Contracts.Identifiers;
using Parallax.Contracts.V1;
using Parallax.ModelFiles.Manifests;
using Parallax.ModelFiles.Storage;

namespace Parallax.ModelFiles.Fetching;

/// <summary>Reads manifests and chunks from peers: the shell around <see cref="FetchBoard"/>. Thread-safe.</summary>
internal sealed partial class ModelFetcher(
    ModelStoreOptions options, BannedPeers banned, Func<Uri, PeerId?, GrpcChannel> channels, ModelStoreCounters counters, TimeProvider clock, ILogger logger)
{
    /// <summary>Chunks are put on record at most this often: each time flushes the disk.</summary>
    private static readonly TimeSpan SaveEvery = TimeSpan.FromSeconds(1);

    /// <summary>The slowest that a stream may be on the whole, in bytes a second.</summary>
    private const int LeastRate = 32 * 1024;

    /// <summary>Reads chunks into the model's files. However it ends, what arrived is on record.</summary>
    /// <exception cref="ModelFilesException">Those who had them are gone, or the disk cannot take them.</exception>
    public async Task FetchAsync(
        CachedModel target, ChunkSet wanted, IReadOnlyList<AskedPeer> asked, IProgress<FetchProgress>? progress, CancellationToken cancellationToken)
    {
        var manifest = target.Manifest;
        var missing = wanted.Except(target.Held());
        var board = new FetchBoard(manifest, missing);
        var peers = asked.Where(peer => peer.Head.ManifestHash == manifest.Hash && HeldBy(peer, manifest) is not null && !banned.Contains(peer.Peer)).ToArray();
        foreach (var peer in peers)
        {
            board.AddPeer(peer.Peer.ToString(), HeldBy(peer, manifest)!);
        }

        var total = manifest.LengthOf(wanted);
        var meter = new FetchMeter(total - manifest.LengthOf(missing), total, clock, progress);
        var start = clock.GetTimestamp();
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var running = new Dictionary<Task<(FetchOutcome Outcome, List<int> Done, string Problem)>, FetchTask>();
        var saved = TimeSpan.Zero;
        try
        {
            while (!board.IsDone)
            {
                var now = clock.GetElapsedTime(start);
                while (running.Count < options.MaxFetchStreams && board.Next(now) is { } task)
                {
                    running.Add(ReadAsync(peers[task.Peer], task, target, meter, stop.Token), task);
                }

                meter.Peers = board.ActivePeers;
                if (board.Stuck() is { } reason)
                {
                    throw new ModelFilesException(
                        ModelFilesProblem.PeersGone,
                        $"{board.MissingCount} of {wanted.Count} chunks of '{target.Name}' are missing and nobody is left to give them: {reason}. What has arrived is kept; trying again goes on from there.");
                }

                await WaitAsync(running.Keys, running.Count < options.MaxFetchStreams ? board.NextTry() - now : null, stop.Token);
                foreach (var ended in running.Keys.Where(static task => task.IsCompleted).ToArray())
                {
                    running.Remove(ended, out var task);
                    var (outcome, done, problem) = await ended;
                    board.Report(task!, outcome, done, problem, clock.GetElapsedTime(start));
                    if (outcome == FetchOutcome.Broken)
                    {
                        Ban(peers[task!.Peer].Peer, problem);
                    }
                }

                if (clock.GetElapsedTime(start) - saved >= SaveEvery)
                {
                    await SaveAsync(target);
                    saved = clock.GetElapsedTime(start);
                }
            }
        }
        finally
        {
            await stop.CancelAsync();
            await Task.WhenAll((IEnumerable<Task>)running.Keys).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            await SaveAsync(target);
        }
    }

    private static Task SaveAsync(CachedModel target) => Task.Run(() => Disk.Guard(target.Save));

    /// <summary>Waits for a stream's end, or for the time at which another one may be opened.</summary>
    private async Task WaitAsync(IReadOnlyCollection<Task> running, TimeSpan? until, CancellationToken cancellationToken)
    {
        using var woken = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var pause = Task.Delay(until is { } time ? (time > TimeSpan.Zero ? time : TimeSpan.Zero) : Timeout.InfiniteTimeSpan, clock, woken.Token);
        await Task.WhenAny([.. running, pause]);
        await woken.CancelAsync();
        cancellationToken.ThrowIfCancellationRequested();
    }

    private async Task<(FetchOutcome Outcome, List<int> Done, string Problem)> ReadAsync(
        AskedPeer peer, FetchTask task, CachedModel target, FetchMeter meter, CancellationToken cancellationToken)
    {
        var manifest = target.Manifest;
        var file = manifest.FileOf(task.Chunks[0]);
        var first = manifest.Files[file].FirstChunk;
        var request = new FetchRequest { WeightsHash = manifest.WeightsHash, ManifestHash = manifest.Hash, File = file };
        request.Chunks.AddRange(task.Chunks.Select(chunk => chunk - first));
        var deadline = options.Patience + TimeSpan.FromSeconds(task.Chunks.Sum(chunk => (double)manifest.LengthOf(chunk)) / LeastRate);
        using var whole = new CancellationTokenSource(deadline, clock);
        using var patience = Patience(cancellationToken, whole.Token);
        var done = new List<int>();
        var buffer = ArrayPool<byte>.Shared.Rent(manifest.ChunkBytes);
        try
        {
            using var call = peer.Client.Fetch(request, cancellationToken: patience.Token);
            var filled = 0;
            await foreach (var part in call.ResponseStream.ReadAllAsync(patience.Token))
            {
                patience.CancelAfter(options.Patience);
                if (done.Count == task.Chunks.Length)
                {
                    return (FetchOutcome.Broken, done, "sent more than was asked for");
                }

                var chunk = task.Chunks[done.Count];
                var length = manifest.LengthOf(chunk);
                if (part.Chunk != chunk - first || part.Offset != filled || part.Data.Length < 1 || part.Data.Length > length - filled)
                {
                    return (FetchOutcome.Broken, done, "sent parts that are not those of the chunks asked for");
                }

                part.Data.Span.CopyTo(buffer.AsSpan(filled));
                filled += part.Data.Length;
                if (filled < length)
                {
                    continue;
                }

                if (!manifest.IsChunk(chunk, buffer.AsSpan(0, length)))
                {
                    return (FetchOutcome.Broken, done, $"sent a wrong chunk {chunk - first} of {manifest.Files[file].Name}");
                }

                await Disk.GuardAsync(() => target.WriteAsync(chunk, buffer.AsMemory(0, length), cancellationToken));
                counters.CountFetched(length);
                meter.Add(length);
                done.Add(chunk);
                filled = 0;
            }

            return done.Count == task.Chunks.Length ? (FetchOutcome.Done, done, "") : (FetchOutcome.Gone, done, "ended the stream early");
        }
        catch (Exception e) when (!cancellationToken.IsCancellationRequested && e is RpcException or OperationCanceledException)
        {
            return (OutcomeOf(e), done, Describe(e));
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private static FetchOutcome OutcomeOf(Exception problem) => problem switch
    {
        RpcException { StatusCode: StatusCode.ResourceExhausted } => FetchOutcome.Busy,
        RpcException { StatusCode: StatusCode.NotFound or StatusCode.FailedPrecondition or StatusCode.Unimplemented } => FetchOutcome.Lacks,
        _ => FetchOutcome.Gone,
    };

    private static string Describe(Exception problem) => problem switch
    {
        RpcException { StatusCode: StatusCode.Cancelled } or OperationCanceledException => "sent nothing for too long",
        RpcException rpc => string.Concat($"{rpc.StatusCode}: {rpc.Status.Detail}".Take(200).Select(static c => char.IsControl(c) ? '?' : c)),
        _ => problem.Message,
    };

    private static ChunkSet? HeldBy(AskedPeer peer, ModelManifest manifest) =>
        peer.Head.Whole ? ChunkSet.Full(manifest.ChunkCount) : ChunkSet.TryRead(peer.Head.Chunks.Span, manifest.ChunkCount);

    /// <summary>A token that is cancelled when nothing has come for a while; renewed by whoever sees something come.</summary>
    private CancellationTokenSource Patience(params CancellationToken[] tokens)
    {
        var patience = CancellationTokenSource.CreateLinkedTokenSource(tokens);
        patience.CancelAfter(options.Patience);
        return patience;
    }

    private void Ban(ModelPeer peer, string problem)
    {
        banned.Add(peer);
        counters.CountBanned();
        LogBanned(peer, problem);
    }

    [LoggerMessage(2, LogLevel.Warning, "{Peer} is not asked for model files again: {Problem}")]
    private partial void LogBanned(ModelPeer peer, string problem);
}
