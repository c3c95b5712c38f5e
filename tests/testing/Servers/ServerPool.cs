namespace Parallax.Testing.Servers;

/// <summary>
/// The servers that the tests of an assembly share: each starts when the first test asks for it, and all end with the run. A test
/// that kills or reconfigures its server starts one of its own.
/// </summary>
public sealed class ServerPool : IAsyncDisposable
{
    private readonly SemaphoreSlim _turn = new(1);
    private RabbitMqServer? _rabbitMq;
    private PostgresServer? _postgres;

    /// <summary>The shared RabbitMQ. Tests keep apart by queues and virtual hosts of their own names.</summary>
    public Task<RabbitMqServer> RabbitMqAsync(CancellationToken cancellationToken) =>
        InTurnAsync(async () => _rabbitMq ??= await RabbitMqServer.StartNewAsync(CancellationToken.None), cancellationToken);

    /// <summary>The shared PostgreSQL. Tests keep apart by databases of their own.</summary>
    public Task<PostgresServer> PostgresAsync(CancellationToken cancellationToken) =>
        InTurnAsync(async () => _postgres ??= await PostgresServer.StartNewAsync(CancellationToken.None), cancellationToken);

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await (_rabbitMq?.DisposeAsync() ?? ValueTask.CompletedTask);
        await (_postgres?.DisposeAsync() ?? ValueTask.CompletedTask);
        _turn.Dispose();
    }

    // A start that one test gives up must not fail those who wait behind it, so it is not given up.
    private async Task<T> InTurnAsync<T>(Func<Task<T>> start, CancellationToken cancellationToken)
    {
        await _turn.WaitAsync(cancellationToken);
        try
        {
            return await start();
        }
        finally
        {
            _turn.Release();
        }
    }
}
