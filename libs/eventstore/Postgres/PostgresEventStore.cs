using System.Collections.Immutable;
using System.Runtime.CompilerServices;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;
using Parallax.EventStore.Appends;

namespace Parallax.EventStore.Postgres;

/// <summary>
/// Streams in a PostgreSQL database, version 12 or newer, that any number of processes and machines share. An append is durable when it
/// returns, as far as the server's <c>fsync</c> and <c>synchronous_commit</c> are on, which they are unless somebody turned them off.
/// </summary>
/// <remarks>
/// Opening it touches no network: the tables are looked for, and created where there are none, by the first call that reaches the server.
/// So a service can start while its database is down, and every call says so until it is up. A user that may only read can read and
/// subscribe. Appends that come while another is written share the next transaction.
/// </remarks>
public sealed class PostgresEventStore : IEventStore
{
    private readonly PostgresEventStoreOptions _options;
    private readonly TimeProvider _clock;
    private readonly PostgresConnections _connections;
    private readonly PostgresWriter _writer;
    private readonly PostgresListener _listener;
    private readonly AppendQueue _queue;
    private readonly AppendSignal _appended = new();
    private int _isDisposed;

    private PostgresEventStore(PostgresAddress address, PostgresEventStoreOptions options, TimeProvider clock, ILoggerFactory loggers)
    {
        _options = options;
        _clock = clock;
        _connections = new PostgresConnections(address);
        _writer = new PostgresWriter(clock, options);
        _listener = new PostgresListener(_connections, _appended, options.PollPeriod, clock, loggers.CreateLogger<PostgresListener>());
        _queue = new AppendQueue(WriteAsync);
    }

    /// <summary>Opens a store.</summary>
    /// <param name="where">
    /// <c>postgres://user[:password]@host[:port]/database[?passwordfile=path&amp;sslmode=...]</c> or an Npgsql connection string. Without a
    /// password, PGPASSWORD, PGPASSFILE and ~/.pgpass are asked.
    /// </param>
    /// <param name="clock">Stamps events and times subscribers' polling.</param>
    /// <param name="loggers">Null logs nothing.</param>
    /// <param name="options">Null takes the defaults.</param>
    /// <exception cref="EventStoreException">The address is not right.</exception>
    public static PostgresEventStore Open(
        string where, TimeProvider clock, ILoggerFactory? loggers = null, PostgresEventStoreOptions? options = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(where);
        ArgumentNullException.ThrowIfNull(clock);
        return new PostgresEventStore(
            PostgresAddress.Parse(where), options ?? new PostgresEventStoreOptions(), clock, loggers ?? NullLoggerFactory.Instance);
    }

    /// <inheritdoc/>
    public Task<AppendResult> AppendAsync(string stream, long expectedVersion, ImmutableArray<NewEvent> events, CancellationToken cancellationToken)
    {
        AppendChecks.Require(stream, expectedVersion, events);
        return _queue.AppendAsync(new AppendRequest(stream, expectedVersion, events), cancellationToken);
    }

    /// <inheritdoc/>
    public IAsyncEnumerable<StoredEvent> ReadAsync(string stream, long fromVersion, CancellationToken cancellationToken)
    {
        AppendChecks.RequireName(stream, nameof(stream));
        return PagesAsync(
            fromVersion,
            static last => last.Version + 1,
            (connection, from, token) => PostgresReads.ReadAsync(connection, stream, from, token),
            cancellationToken);
    }

    /// <inheritdoc/>
    public IAsyncEnumerable<StoredEvent> ReadAllAsync(long afterPosition, CancellationToken cancellationToken) =>
        PagesAsync(afterPosition, static last => last.Position, PostgresReads.ReadAllAsync, cancellationToken);

    /// <inheritdoc/>
    public async IAsyncEnumerable<StoredEvent> SubscribeAsync(long afterPosition, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        _listener.Start();
        await foreach (var found in EventPages.FollowAsync(this, afterPosition, _appended, _options.PollPeriod, _clock, cancellationToken))
        {
            yield return found;
        }
    }

    /// <inheritdoc/>
    public Task<int> TrimAsync(string stream, long belowVersion, CancellationToken cancellationToken)
    {
        AppendChecks.RequireName(stream, nameof(stream));
        return UseAsync((connection, token) => _writer.TrimAsync(connection, stream, belowVersion, token), cancellationToken);
    }

    /// <inheritdoc/>
    public Task<int> DeleteAsync(string stream, CancellationToken cancellationToken)
    {
        AppendChecks.RequireName(stream, nameof(stream));
        return UseAsync((connection, token) => _writer.DeleteAsync(connection, stream, token), cancellationToken);
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _isDisposed, 1) != 0)
        {
            return;
        }

        // A transaction that has begun finishes; whoever waits or comes later finds the store disposed of.
        await _listener.DisposeAsync();
        await _queue.DisposeAsync();
        await _connections.DisposeAsync();
        _appended.Raise();
    }

    private async Task<ImmutableArray<AppendOutcome>> WriteAsync(ImmutableArray<AppendRequest> batch)
    {
        // Repeated on a new connection when the first was lost, which changes nothing: events are recognised by their ids.
        var outcomes = await UseAsync((connection, token) => _writer.AppendAsync(connection, batch, token), CancellationToken.None);
        if (outcomes.Any(static outcome => outcome.Result is AppendResult.Appended { IsRepeat: false }))
        {
            _appended.Raise();
        }

        return outcomes;
    }

    private IAsyncEnumerable<StoredEvent> PagesAsync(
        long start, Func<StoredEvent, long> next, Func<NpgsqlConnection, long, CancellationToken, Task<List<StoredEvent>>> read, CancellationToken cancellationToken) =>
        EventPages.ReadAsync(start, next, (from, token) => UseAsync((connection, given) => read(connection, from, given), token), cancellationToken);

    private Task<T> UseAsync<T>(Func<NpgsqlConnection, CancellationToken, Task<T>> work, CancellationToken cancellationToken)
    {
        ObjectDisposedException.ThrowIf(Volatile.Read(ref _isDisposed) != 0, this);
        return _connections.UseAsync(work, cancellationToken);
    }
}
