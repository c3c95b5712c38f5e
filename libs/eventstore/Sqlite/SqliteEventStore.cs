using System.Collections.Immutable;
using Microsoft.Data.Sqlite;
using Parallax.EventStore.Appends;

namespace Parallax.EventStore.Sqlite;

/// <summary>
/// Streams in a SQLite file that the processes of one machine share (write-ahead log, so not on a network file system).
/// An append is durable when it returns, also against loss of power.
/// </summary>
/// <remarks>
/// One connection writes and one reads, each used by one call at a time, off the caller's thread. Appends that come while another
/// is written share the next transaction. Reads go page by page, so that a slow reader keeps neither memory nor an old snapshot of the file.
/// </remarks>
public sealed class SqliteEventStore : IEventStore
{
    private readonly string _path;
    private readonly SqliteEventStoreOptions _options;
    private readonly TimeProvider _clock;
    private readonly AppendSignal _appended = new();
    private readonly AppendQueue _queue;
    private readonly SqliteWriter _writer;
    private readonly SqliteConnection _reader;
    private readonly SemaphoreSlim _writeTurn = new(1);
    private readonly SemaphoreSlim _readTurn = new(1);
    private volatile bool _isDisposed;

    private SqliteEventStore(string path, SqliteEventStoreOptions options, TimeProvider clock, SqliteConnection writer, SqliteConnection reader)
    {
        _path = path;
        _options = options;
        _clock = clock;
        _writer = new SqliteWriter(writer, clock);
        _reader = reader;
        _queue = new AppendQueue(WriteAsync);
    }

    /// <summary>Opens a store, creating the file when there is none; its folder must exist.</summary>
    /// <param name="path">The file.</param>
    /// <param name="clock">Stamps events and times subscribers' polling.</param>
    /// <param name="options">Null takes the defaults.</param>
    /// <exception cref="EventStoreException">The file cannot be used.</exception>
    public static SqliteEventStore Open(string path, TimeProvider clock, SqliteEventStoreOptions? options = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        ArgumentNullException.ThrowIfNull(clock);
        options ??= new SqliteEventStoreOptions();
        SqliteConnection? writer = null;
        SqliteConnection? reader = null;
        try
        {
            writer = SqliteConnections.Open(path, options);
            SqliteConnections.Prepare(writer, path);
            reader = SqliteConnections.Open(path, options);
            return new SqliteEventStore(path, options, clock, writer, reader);
        }
        catch (Exception e)
        {
            reader?.Dispose();
            writer?.Dispose();
            if (e is SqliteException problem)
            {
                throw SqliteErrors.Translate(problem, path);
            }

            throw;
        }
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
            fromVersion, static last => last.Version + 1, from => SqlitePages.Read(_reader, stream, from), cancellationToken);
    }

    /// <inheritdoc/>
    public IAsyncEnumerable<StoredEvent> ReadAllAsync(long afterPosition, CancellationToken cancellationToken) =>
        PagesAsync(afterPosition, static last => last.Position, after => SqlitePages.ReadAll(_reader, after), cancellationToken);

    /// <inheritdoc/>
    public IAsyncEnumerable<StoredEvent> SubscribeAsync(long afterPosition, CancellationToken cancellationToken) =>
        EventPages.FollowAsync(this, afterPosition, _appended, _options.PollPeriod, _clock, cancellationToken);

    /// <inheritdoc/>
    public Task<int> TrimAsync(string stream, long belowVersion, CancellationToken cancellationToken)
    {
        AppendChecks.RequireName(stream, nameof(stream));
        return InTurnAsync(_writeTurn, () => _writer.Trim(stream, belowVersion), cancellationToken);
    }

    /// <inheritdoc/>
    public Task<int> DeleteAsync(string stream, CancellationToken cancellationToken)
    {
        AppendChecks.RequireName(stream, nameof(stream));
        return InTurnAsync(_writeTurn, () => _writer.Delete(stream), cancellationToken);
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _isDisposed, true))
        {
            return;
        }

        // Whoever has its turn finishes; whoever waits or comes later finds the store disposed of.
        await _queue.DisposeAsync();
        await _readTurn.WaitAsync();
        await _reader.DisposeAsync();
        _readTurn.Release();
        await _writeTurn.WaitAsync();
        _writer.Dispose();
        _writeTurn.Release();
        _appended.Raise();
    }

    private async Task<ImmutableArray<AppendOutcome>> WriteAsync(ImmutableArray<AppendRequest> batch)
    {
        var outcomes = await InTurnAsync(_writeTurn, () => _writer.Append(batch), CancellationToken.None);
        if (outcomes.Any(static outcome => outcome.Result is AppendResult.Appended { IsRepeat: false }))
        {
            _appended.Raise();
        }

        return outcomes;
    }

    private IAsyncEnumerable<StoredEvent> PagesAsync(long start, Func<StoredEvent, long> next, Func<long, List<StoredEvent>> read, CancellationToken cancellationToken) =>
        EventPages.ReadAsync(start, next, (from, token) => InTurnAsync(_readTurn, () => read(from), token), cancellationToken);

    private async Task<T> InTurnAsync<T>(SemaphoreSlim turn, Func<T> work, CancellationToken cancellationToken)
    {
        await turn.WaitAsync(cancellationToken);
        try
        {
            ObjectDisposedException.ThrowIf(_isDisposed, this);
            return await Task.Run(work, CancellationToken.None);
        }
        catch (SqliteException problem)
        {
            throw SqliteErrors.Translate(problem, _path);
        }
        finally
        {
            turn.Release();
        }
    }
}
