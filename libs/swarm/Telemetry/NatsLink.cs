using NATS.Client.Core;

namespace Parallax.Swarm.Telemetry;

/// <summary>One connection of the official client, until it is lost.</summary>
internal sealed class NatsLink : INewsConnection
{
    private readonly TaskCompletionSource<string> _lost = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly NatsConnection _connection;
    private readonly Uri _server;
    private readonly TimeSpan _patience;
    private readonly TimeProvider _time;

    public NatsLink(NatsConnection connection, Uri server, TimeSpan patience, TimeProvider time, Action<string> serverError)
    {
        (_connection, _server, _patience, _time) = (connection, server, patience, time);
        connection.ConnectionDisconnected += (_, _) =>
        {
            _lost.TrySetResult($"{_server} is gone, or does not answer any more.");
            return ValueTask.CompletedTask;
        };
        connection.ServerError += (_, error) =>
        {
            serverError(error.Error);
            return ValueTask.CompletedTask;
        };
    }

    /// <inheritdoc/>
    public Task<string> Lost => _lost.Task;

    /// <inheritdoc/>
    public Task PublishAsync(string subject, ReadOnlyMemory<byte> envelope, CancellationToken cancellationToken) =>
        // The client writes into a buffer; where that stays full, nobody reads at the other end.
        WithPatienceAsync(_connection.PublishAsync(subject, envelope, serializer: NatsRawSerializer<ReadOnlyMemory<byte>>.Default, cancellationToken: cancellationToken), cancellationToken);

    /// <inheritdoc/>
    public Task FlushAsync(CancellationToken cancellationToken) => WithPatienceAsync(PingAsync(cancellationToken), cancellationToken);

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => _connection.DisposeAsync();

    private async ValueTask PingAsync(CancellationToken cancellationToken) => await _connection.PingAsync(cancellationToken);

    private async Task WithPatienceAsync(ValueTask call, CancellationToken cancellationToken)
    {
        try
        {
            await call.AsTask().WaitAsync(_patience, _time, cancellationToken);
        }
        catch (Exception problem) when (NatsWire.IsOfTheWire(problem) && !cancellationToken.IsCancellationRequested)
        {
            throw new NewsWireException($"{_server} takes no messages any more.", isRefusal: false, problem);
        }
    }
}
