using Grpc.Health.V1;
using Grpc.HealthCheck;
using Parallax.Transport.Links;

namespace Parallax.Worker.Gpu.Control;

/// <summary>
/// Joins stages and links at the start. Stops in this order: refuse new sessions and loads and say so; let running
/// sessions end for the drain time; cancel the rest; end the control streams; close the links. The server's own stop, which
/// waits for calls to end, comes after, and the engines go with their host after that.
/// </summary>
internal sealed partial class WorkerLifecycle(
    WorkerState state, WorkerOptions options, LinkHub links, HealthServiceImpl health, TimeProvider clock, ILogger<WorkerLifecycle> logger)
    : IHostedLifecycleService
{
    private static readonly TimeSpan CancelTime = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan CloseTime = TimeSpan.FromSeconds(3);

    public Task StartingAsync(CancellationToken cancellationToken)
    {
        state.Shards.Links.Attach(links);
        return Task.CompletedTask;
    }

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartedAsync(CancellationToken cancellationToken)
    {
        SetHealth(HealthCheckResponse.Types.ServingStatus.Serving);
        return Task.CompletedTask;
    }

    public async Task StoppingAsync(CancellationToken cancellationToken)
    {
        SetHealth(HealthCheckResponse.Types.ServingStatus.NotServing);
        state.StartDraining();
        state.Shards.StopLoading();
        if (!await BecomesIdleAsync(options.DrainTime, cancellationToken))
        {
            var running = state.Sessions.Snapshot();
            LogCancelling(state.Sessions.ActiveCount);
            foreach (var session in running)
            {
                session.Engine?.Cancel(session.Id, session.Epoch);
            }

            await BecomesIdleAsync(CancelTime, cancellationToken);
        }

        await state.CloseStreamsAsync()
            .WaitAsync(CloseTime, clock, cancellationToken)
            .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await links.DisposeAsync();
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    private async Task<bool> BecomesIdleAsync(TimeSpan patience, CancellationToken cancellationToken)
    {
        try
        {
            await state.Sessions.WhenIdleAsync().WaitAsync(patience, clock, cancellationToken);
            return true;
        }
        catch (Exception e) when (e is TimeoutException or OperationCanceledException)
        {
            return false;
        }
    }

    private void SetHealth(HealthCheckResponse.Types.ServingStatus status)
    {
        health.SetStatus("", status);
        health.SetStatus(Contracts.V1.Worker.Descriptor.FullName, status);
    }

    [LoggerMessage(10, LogLevel.Warning, "Drain time is over; cancelling {Count} running sessions")]
    private partial void LogCancelling(int count);
}
