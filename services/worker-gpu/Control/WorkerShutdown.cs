using Grpc.Health.V1;
using Grpc.HealthCheck;

namespace Parallax.Worker.Gpu.Control;

/// <summary>
/// Stops in this order: refuse new sessions and say so; let running ones end for the drain time; cancel the rest;
/// end the control streams. The server's own stop, which waits for calls to end, comes after.
/// </summary>
internal sealed partial class WorkerShutdown(
    WorkerState state, WorkerOptions options, HealthServiceImpl health, TimeProvider clock, ILogger<WorkerShutdown> logger)
    : IHostedLifecycleService
{
    private static readonly TimeSpan CancelTime = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan CloseTime = TimeSpan.FromSeconds(3);

    public Task StartingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

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
        if (!await BecomesIdleAsync(options.DrainTime, cancellationToken))
        {
            var running = state.Sessions.Snapshot();
            LogCancelling(state.Sessions.ActiveCount);
            foreach (var session in running)
            {
                state.Engine.Cancel(session.Id, session.Epoch);
            }

            await BecomesIdleAsync(CancelTime, cancellationToken);
        }

        await state.CloseStreamsAsync()
            .WaitAsync(CloseTime, clock, cancellationToken)
            .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
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
