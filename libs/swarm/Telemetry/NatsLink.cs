using NATS.Client.Core;

namespace Parallax.Swarm.Telemetry;

/// <summary>One connection of the official client, until it is lost.</summary>
internal sealed class NatsLink : INewsConnection
{
    // Questions in a row without any sign of life after which the server is lost.
    private const int MostUnanswered = 2;

    private readonly TaskCompletionSource<string> _lost = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly CancellationTokenSource _closing = new();
    private readonly NatsConnection _connection;
    private readonly Uri _server;
    private readonly NewsInbox _inbox;
    private readonly NatsOptions _options;
    private readonly TimeProvider _time;
    private readonly List<NatsSubBase> _subscriptions = []; // the client holds them weakly
    private Task _watching = Task.CompletedTask;

    public NatsLink(NatsConnection connection, Uri server, NewsInbox inbox, NatsOptions options, TimeProvider time, Action<string> serverError)
    {
        (_connection, _server, _inbox, _options, _time) = (connection, server, inbox, options, time);
        connection.ConnectionDisconnected += (_, _) =>
        {
            _lost.TrySetResult($"{_server} is gone.");
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

    /// <summary>Gives what is published on a subject to the inbox.</summary>
    public async Task SubscribeAsync(NewsKind kind, string subject, CancellationToken cancellationToken)
    {
        var subscription = new NatsSubscription(_connection, kind, subject, _inbox);
        _subscriptions.Add(subscription);
        await _connection.AddSubAsync(subscription, cancellationToken);
    }

    /// <inheritdoc/>
    public Task SubscribeAsync(string subject, BlockExchange blocks, CancellationToken cancellationToken)
    {
        var subscription = new BlockSubscription(_connection, subject, blocks, _inbox);
        _subscriptions.Add(subscription);
        return WithPatienceAsync(_connection.AddSubAsync(subscription, cancellationToken), cancellationToken);
    }

    /// <summary>
    /// Begins to ask the server whether it is there. The client can do that, too, but takes nothing but an answer as a sign
    /// of life, and answers come late while a flood of messages is before them.
    /// </summary>
    public void Watch() => _watching = Task.Run(() => WatchAsync(_closing.Token));

    /// <inheritdoc/>
    public Task PublishAsync(string subject, ReadOnlyMemory<byte> envelope, CancellationToken cancellationToken) =>
        // The client writes into a buffer; where that stays full, nobody reads at the other end.
        WithPatienceAsync(_connection.PublishAsync(subject, envelope, serializer: NatsRawSerializer<ReadOnlyMemory<byte>>.Default, cancellationToken: cancellationToken), cancellationToken);

    /// <inheritdoc/>
    public Task FlushAsync(CancellationToken cancellationToken) => WithPatienceAsync(PingAsync(cancellationToken), cancellationToken);

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _closing.CancelAsync();
        await _connection.DisposeAsync();
        await _watching;
        _closing.Dispose();
    }

    private async Task WatchAsync(CancellationToken cancellationToken)
    {
        try
        {
            var answer = Task.CompletedTask;
            var unanswered = 0;
            var arrivals = _inbox.Arrivals;
            while (unanswered < MostUnanswered)
            {
                if (answer.IsCompleted)
                {
                    await answer;
                    answer = PingAsync(cancellationToken).AsTask();
                }

                await Task.Delay(_options.PingPeriod, _time, cancellationToken);
                var seen = _inbox.Arrivals;
                unanswered = answer.IsCompletedSuccessfully || seen != arrivals ? 0 : unanswered + 1;
                arrivals = seen;
            }

            _lost.TrySetResult($"{_server} does not answer any more.");
        }
        catch (Exception problem) when (NatsWire.IsOfTheWire(problem))
        {
            _lost.TrySetResult($"{_server} is gone.");
        }
    }

    private async ValueTask PingAsync(CancellationToken cancellationToken) => await _connection.PingAsync(cancellationToken);

    private async Task WithPatienceAsync(ValueTask call, CancellationToken cancellationToken)
    {
        try
        {
            await call.AsTask().WaitAsync(_options.ConnectTime, _time, cancellationToken);
        }
        catch (Exception problem) when (NatsWire.IsOfTheWire(problem) && !cancellationToken.IsCancellationRequested)
        {
            throw new NewsWireException($"{_server} takes no messages any more.", isRefusal: false, problem);
        }
    }
}
