using Grpc.Core;
using Grpc.Net.Client;
using Parallax.Contracts.V1;
using WorkerClient = Parallax.Contracts.V1.Worker.WorkerClient;

namespace Parallax.Cli.Chaos.Processes;

/// <summary>Reads the counters of a worker, which may be dead or stand still.</summary>
internal sealed class WorkerStatsClient : IDisposable
{
    private readonly GrpcChannel _channel;
    private readonly TimeProvider _clock;

    /// <param name="address">The worker's own, past any relay.</param>
    /// <param name="clock">Clock.</param>
    public WorkerStatsClient(Uri address, TimeProvider clock)
    {
        _clock = clock;
        _channel = GrpcChannel.ForAddress(address, new GrpcChannelOptions
        {
            // A worker that was killed comes back at the same address: it is dialled anew at each call.
            HttpHandler = new SocketsHttpHandler { ConnectTimeout = AskTime },
            InitialReconnectBackoff = TimeSpan.FromMilliseconds(50),
            MaxReconnectBackoff = TimeSpan.FromMilliseconds(200),
            DisposeHttpClient = true,
        });
    }

    /// <summary>How long to wait where the counters decide who is hit by a fault that is due.</summary>
    public static TimeSpan GlanceTime { get; } = TimeSpan.FromMilliseconds(300);

    /// <summary>How long to wait otherwise.</summary>
    public static TimeSpan AskTime { get; } = TimeSpan.FromSeconds(5);

    /// <summary>The counters; null when the worker does not answer in time.</summary>
    public async Task<WorkerStats?> TryReadAsync(TimeSpan patience, CancellationToken cancellationToken)
    {
        try
        {
            return await new WorkerClient(_channel).GetStatsAsync(
                new GetStatsRequest(), deadline: (_clock.GetUtcNow() + patience).UtcDateTime, cancellationToken: cancellationToken);
        }
        catch (RpcException e) when (!cancellationToken.IsCancellationRequested && e.StatusCode != StatusCode.Unimplemented)
        {
            return null;
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _channel.Dispose();
}
