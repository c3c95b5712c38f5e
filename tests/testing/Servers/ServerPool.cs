namespace Parallax.Testing.Servers;

/// <summary>
/// The servers that the tests of an assembly share: each starts when the first test asks for it, and all end with the run. A test
/// that kills or reconfigures its server starts one of its own.
/// </summary>
public sealed class ServerPool : IAsyncDisposable
{
    private readonly SemaphoreSlim _turn = new(1);
    private RabbitMqServer? _rabbitMq;

    /// <summary>The shared RabbitMQ. Tests keep apart by queues and virtual hosts of their own names.</summary>
    public async Task<RabbitMqServer> RabbitMqAsync(CancellationToken cancellationToken)
    {
        await _turn.WaitAsync(cancellationToken);
        try
        {
            // A start that one test gives up must not fail those who wait behind it.
            return _rabbitMq ??= await RabbitMqServer.StartNewAsync(CancellationToken.None);
        }
        finally
        {
            _turn.Release();
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _turn.WaitAsync();
        try
        {
            if (_rabbitMq is { } rabbitMq)
            {
                _rabbitMq = null;
                await rabbitMq.DisposeAsync();
            }
        }
        finally
        {
            _turn.Release();
        }
    }
}
