using Grpc.Core;
using Grpc.Net.Client;
using Parallax.Contracts.V1;
using Parallax.Runtime.Execution;

namespace Parallax.Cli.Shards;

/// <summary>Asks a worker about its shards.</summary>
internal sealed class ShardsClient : IDisposable
{
    private readonly Uri _address;
    private readonly GrpcChannel _channel;
    private readonly Contracts.V1.Worker.WorkerClient _client;

    /// <param name="address">The worker's.</param>
    /// <exception cref="ShardsException">It is not an address.</exception>
    public ShardsClient(string address)
    {
        _address = Uri.TryCreate(address, UriKind.Absolute, out var uri) && uri.Scheme is "http" or "https" && uri.AbsolutePath == "/"
            ? uri
            : throw new ShardsException($"--worker: '{address}' is not an address like http://127.0.0.1:7101.");
        _channel = GrpcChannel.ForAddress(_address);
        _client = new Contracts.V1.Worker.WorkerClient(_channel);
    }

    /// <summary>All shards and the worker's memory.</summary>
    public Task<ListShardsReply> ListAsync(CancellationToken cancellationToken) =>
        CallAsync(async () => await _client.ListShardsAsync(new ListShardsRequest(), cancellationToken: cancellationToken), cancellationToken);

    /// <summary>Loads a shard, telling how far it is; what serves at the end.</summary>
    public Task<ServedModel> LoadAsync(LoadShardRequest request, IProgress<LoadProgress> progress, CancellationToken cancellationToken) =>
        CallAsync(
            async () =>
            {
                using var call = _client.LoadShard(request, cancellationToken: cancellationToken);
                await foreach (var step in call.ResponseStream.ReadAllAsync(cancellationToken))
                {
                    progress.Report(new LoadProgress(step.LayersLoaded, step.LayersTotal, step.WeightBytes));
                    if (step.Serving is { } serving)
                    {
                        return serving;
                    }
                }

                throw new ShardsException($"The worker at {_address} ended the load without saying how.");
            },
            cancellationToken);

    /// <summary>Unloads a shard; sessions that were ended.</summary>
    public Task<int> UnloadAsync(string id, TimeSpan drain, CancellationToken cancellationToken) =>
        CallAsync(
            async () => (await _client.UnloadShardAsync(
                new UnloadShardRequest { ShardId = id, DrainMs = (long)drain.TotalMilliseconds }, cancellationToken: cancellationToken)).SessionsCancelled,
            cancellationToken);

    public void Dispose() => _channel.Dispose();

    private async Task<T> CallAsync<T>(Func<Task<T>> call, CancellationToken cancellationToken)
    {
        try
        {
            return await call();
        }
        catch (RpcException e) when (cancellationToken.IsCancellationRequested)
        {
            throw new OperationCanceledException("The call was given up.", e, cancellationToken);
        }
        catch (RpcException e)
        {
            throw new ShardsException(
                e.StatusCode == StatusCode.Unavailable
                    ? $"No worker answers at {_address}: start one with 'parallax worker', or name another with --worker."
                    : e.Status.Detail,
                e);
        }
    }
}
