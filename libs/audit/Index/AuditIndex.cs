using System.Threading.Channels;
using Microsoft.Data.Sqlite;
using Parallax.Audit.Chain;
using Parallax.Audit.Events;
using Parallax.EventStore;

namespace Parallax.Audit.Index;

/// <summary>
/// Requests, usage and failures in a SQLite file, made of the events of an event store: what is asked often, without reading
/// all events. It is never the truth; lost, damaged or of another version it is made anew. Several processes may use one file.
/// Thread-safe.
/// </summary>
/// <remarks>
/// Each batch of events and the position behind it are one transaction, begun at the position where the last one ended: an event
/// counts once, whatever crashes and whoever else keeps the index up.
/// </remarks>
public sealed partial class AuditIndex : IAsyncDisposable
{
    private const int BatchEvents = 512;

    private readonly string _path;
    private readonly SqliteConnection _connection;
    private readonly SemaphoreSlim _turn = new(1);
    private bool _isDisposed;

    private AuditIndex(string path, SqliteConnection connection)
    {
        _path = path;
        _connection = connection;
    }

    /// <summary>Opens an index, or creates an empty one; its folder must exist.</summary>
    /// <exception cref="AuditIndexException">The file cannot be used.</exception>
    public static AuditIndex Open(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        var connection = new SqliteConnection(new SqliteConnectionStringBuilder { DataSource = path, Pooling = false, DefaultTimeout = 10 }.ToString());
        try
        {
            connection.Open();
            using (var command = connection.CreateCommand())
            {
                // What a loss of power takes from it is read from the events again.
                command.CommandText = "pragma busy_timeout = 10000; pragma journal_mode = wal; pragma synchronous = normal";
                command.ExecuteNonQuery();
            }

            IndexSchema.Prepare(connection, path);
            return new AuditIndex(path, connection);
        }
        catch (SqliteException problem)
        {
            connection.Dispose();
            throw Translate(problem, path);
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    /// <summary>Takes in what the store has and the index has not.</summary>
    /// <returns>How many events were read.</returns>
    /// <exception cref="AuditIndexException">The index cannot be used.</exception>
    /// <exception cref="EventStoreException">The store cannot be read.</exception>
    public async Task<long> CatchUpAsync(IEventStore store, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(store);
        await ResetIfOfAnotherStoreAsync(store, cancellationToken);
        long read = 0;
        List<StoredEvent> batch = [];
        while (true)
        {
            var position = await PositionAsync(cancellationToken);
            batch.Clear();
            await foreach (var stored in store.ReadAllAsync(position, cancellationToken))
            {
                batch.Add(stored);
                if (batch.Count == BatchEvents)
                {
                    if (!await ApplyAsync(batch, position, cancellationToken))
                    {
                        break; // somebody else was faster: on from where that one is
                    }

                    (position, read) = (stored.Position, read + batch.Count);
                    batch.Clear();
                }
            }

            if (batch.Count == 0)
            {
                return read;
            }

            if (batch.Count < BatchEvents && await ApplyAsync(batch, position, cancellationToken))
            {
                return read + batch.Count;
            }
        }
    }

    /// <summary>Catches up and then takes in what is appended, until it is cancelled.</summary>
    /// <exception cref="AuditIndexException">The index cannot be used.</exception>
    /// <exception cref="EventStoreException">The store cannot be read.</exception>
    public async Task FollowAsync(IEventStore store, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(store);
        await CatchUpAsync(store, cancellationToken);
        while (true)
        {
            using var end = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            var arrived = Channel.CreateBounded<StoredEvent>(new BoundedChannelOptions(BatchEvents) { SingleReader = true, SingleWriter = true });
            var position = await PositionAsync(cancellationToken);
            var pump = PumpAsync(store, position, arrived.Writer, end.Token);
            try
            {
                List<StoredEvent> batch = [];
                while (await arrived.Reader.WaitToReadAsync(cancellationToken))
                {
                    batch.Clear();
                    while (batch.Count < BatchEvents && arrived.Reader.TryRead(out var one))
                    {
                        batch.Add(one);
                    }

                    if (!await ApplyAsync(batch, position, cancellationToken))
                    {
                        break; // another process keeps the same file up
                    }

                    position = batch[^1].Position;
                }
            }
            finally
            {
                await end.CancelAsync();
                await pump;
            }
        }
    }

    /// <summary>Makes the index anew.</summary>
    /// <returns>How many events were read.</returns>
    public async Task<long> RebuildAsync(IEventStore store, CancellationToken cancellationToken)
    {
        await ResetAsync(cancellationToken);
        return await CatchUpAsync(store, cancellationToken);
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _turn.WaitAsync();
        if (!_isDisposed)
        {
            _isDisposed = true;
            await _connection.DisposeAsync();
        }

        _turn.Release();
    }

    private static async Task PumpAsync(IEventStore store, long position, ChannelWriter<StoredEvent> arrived, CancellationToken cancellationToken)
    {
        try
        {
            await foreach (var stored in store.SubscribeAsync(position, cancellationToken))
            {
                await arrived.WriteAsync(stored, cancellationToken);
            }

            arrived.Complete();
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            arrived.TryComplete();
        }
        catch (EventStoreException problem)
        {
            arrived.TryComplete(problem); // whoever reads is told
        }
    }

    /// <summary>An index that was made of another store, or of one that was restored from a copy, says nothing about this one.</summary>
    private async Task ResetIfOfAnotherStoreAsync(IEventStore store, CancellationToken cancellationToken)
    {
        var (position, id) = await InTurnAsync(() => ReadState(null), cancellationToken);
        if (position == 0)
        {
            return;
        }

        await foreach (var stored in store.ReadAllAsync(position - 1, cancellationToken))
        {
            if (stored.Position == position && stored.Id == id)
            {
                return;
            }

            break;
        }

        await ResetAsync(cancellationToken);
    }

    private Task<bool> ResetAsync(CancellationToken cancellationToken) => InTurnAsync(
        () =>
        {
            using var transaction = _connection.BeginTransaction(deferred: false);
            IndexSchema.Create(_connection, transaction);
            transaction.Commit();
            return true;
        },
        cancellationToken);

    private Task<long> PositionAsync(CancellationToken cancellationToken) => InTurnAsync(() => ReadState(null).Position, cancellationToken);

    /// <summary>Takes a batch in; false when the index is not at the position any more.</summary>
    private Task<bool> ApplyAsync(List<StoredEvent> batch, long position, CancellationToken cancellationToken) => InTurnAsync(
        () =>
        {
            using var transaction = _connection.BeginTransaction(deferred: false);
            if (ReadState(transaction).Position != position)
            {
                return false;
            }

            var writer = new IndexWriter(_connection, transaction);
            foreach (var stored in batch)
            {
                Apply(writer, stored);
            }

            writer.Finish(batch[^1]);
            transaction.Commit();
            return true;
        },
        cancellationToken);

    private static void Apply(IndexWriter writer, StoredEvent stored)
    {
        if (!stored.Stream.StartsWith(AuditStreams.Prefix, StringComparison.Ordinal))
        {
            return;
        }

        AuditRecord record;
        try
        {
            record = AuditCodec.Decode(stored.Payload);
        }
        catch (AuditFormatException)
        {
            return; // verification says what is wrong with it; what is known of the request stays
        }

        if (AuditStreams.RequestOf(stored.Stream) is { } request)
        {
            writer.Add(request, stored, record);
        }
        else if (record.Event is StreamsRetired retired)
        {
            writer.Remove(retired.Streams.Select(static head => head.Stream));
        }
    }

    private (long Position, Guid? Event) ReadState(SqliteTransaction? transaction)
    {
        using var command = _connection.CreateCommand();
        command.Transaction = transaction;
        command.CommandText = "select position, event from state";
        using var reader = command.ExecuteReader();
        reader.Read();
        return (reader.GetInt64(0), reader.IsDBNull(1) ? null : new Guid((byte[])reader[1], bigEndian: true));
    }

    private async Task<T> InTurnAsync<T>(Func<T> work, CancellationToken cancellationToken)
    {
        await _turn.WaitAsync(cancellationToken);
        try
        {
            ObjectDisposedException.ThrowIf(_isDisposed, this);
            return await Task.Run(work, CancellationToken.None);
        }
        catch (SqliteException problem)
        {
            throw Translate(problem, _path);
        }
        finally
        {
            _turn.Release();
        }
    }

    private static AuditIndexException Translate(SqliteException problem, string path) => new(
        (problem.SqliteErrorCode & 0xFF) switch
        {
            5 or 6 => $"The audit's index '{path}' is busy: another process holds it for too long.",
            8 => $"The audit's index '{path}' cannot be written: the file or its folder is read-only.",
            11 or 26 => $"The audit's index '{path}' is damaged: {problem.Message} Delete it; it is made anew from the events.",
            13 => $"The disk of the audit's index '{path}' is full.",
            14 => $"The audit's index '{path}' cannot be opened: its folder must exist and be writable.",
            _ => $"The audit's index '{path}' failed: {problem.Message}",
        },
        problem);
}
