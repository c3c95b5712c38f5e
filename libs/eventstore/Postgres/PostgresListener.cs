using Microsoft.Extensions.Logging;
using Npgsql;

namespace Parallax.EventStore.Postgres;

/// <summary>
/// Wakes this process's subscribers when another process has appended. Listens from the first subscription on, on a connection of its
/// own, which is opened again when it is lost; meanwhile subscribers poll.
/// </summary>
internal sealed partial class PostgresListener(
    PostgresConnections connections, AppendSignal appended, TimeSpan retryPeriod, TimeProvider clock, ILogger<PostgresListener> logger) : IAsyncDisposable
{
    private readonly CancellationTokenSource _stop = new();
    private readonly Lock _gate = new();
    private Task? _listening;

    /// <summary>Begins, unless it has begun.</summary>
    public void Start()
    {
        lock (_gate)
        {
            if (!_stop.IsCancellationRequested)
            {
                _listening ??= Task.Run(ListenAsync);
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        Task? listening;
        lock (_gate)
        {
            _stop.Cancel();
            listening = _listening;
        }

        await (listening ?? Task.CompletedTask);
    }

    private async Task ListenAsync()
    {
        var isTold = false;
        while (!_stop.IsCancellationRequested)
        {
            try
            {
                await connections.UseAsync(
                    async (connection, cancellationToken) =>
                    {
                        await ListenAsync(connection, cancellationToken);
                        return 0;
                    },
                    _stop.Token);
            }
            catch (OperationCanceledException) when (_stop.IsCancellationRequested)
            {
                return;
            }
            catch (EventStoreException problem)
            {
                // Said once, and again when it was right in between.
                if (!isTold)
                {
                    LogLost(logger, problem.Message);
                }

                isTold = true;
            }

            try
            {
                await Task.Delay(retryPeriod, clock, _stop.Token);
            }
            catch (OperationCanceledException)
            {
                return;
            }
        }

        async Task ListenAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
        {
            connection.Notification += (_, _) => appended.Raise();
            await using (var listen = new NpgsqlCommand($"listen {PostgresWriter.Channel}", connection))
            {
                await listen.ExecuteNonQueryAsync(cancellationToken);
            }

            isTold = false;
            appended.Raise(); // what came before it listened
            while (true)
            {
                await connection.WaitAsync(cancellationToken);
            }
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "No notifications of appends; subscribers look themselves: {Reason}")]
    private static partial void LogLost(ILogger logger, string reason);
}
