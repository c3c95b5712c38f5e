using System.Collections.Immutable;
using Microsoft.Data.Sqlite;
using Parallax.EventStore.Appends;

namespace Parallax.EventStore.Sqlite;

/// <summary>
/// The one connection of a store that writes, with its statements, which are prepared once. Used by one call at a time.
/// </summary>
internal sealed class SqliteWriter : IDisposable
{
    private readonly SqliteConnection _connection;
    private readonly TimeProvider _clock;
    private readonly SqliteCommand _find;
    private readonly SqliteCommand _lastVersion;
    private readonly SqliteCommand _insert;

    public SqliteWriter(SqliteConnection connection, TimeProvider clock)
    {
        _connection = connection;
        _clock = clock;
        _find = Command(
            "select stream, version, position, type, case when length(payload) = $length then payload end from events where id = $id",
            ("$id", SqliteType.Blob),
            ("$length", SqliteType.Integer));
        _lastVersion = Command("select coalesce(max(version), 0) from events where stream = $stream", ("$stream", SqliteType.Text));
        _insert = Command(
            """
            insert into events (stream, version, id, type, recorded_at_us, payload)
            values ($stream, $version, $id, $type, $recorded, $payload)
            returning position
            """,
            ("$stream", SqliteType.Text),
            ("$version", SqliteType.Integer),
            ("$id", SqliteType.Blob),
            ("$type", SqliteType.Text),
            ("$recorded", SqliteType.Integer),
            ("$payload", SqliteType.Blob));
    }

    /// <summary>Appends in one transaction; all that fails but an append's own outcome fails all.</summary>
    public ImmutableArray<AppendOutcome> Append(ImmutableArray<AppendRequest> batch)
    {
        using var transaction = Begin();
        var now = Timestamps.ToMicroseconds(_clock.GetUtcNow());
        var outcomes = ImmutableArray.CreateBuilder<AppendOutcome>(batch.Length);
        foreach (var request in batch)
        {
            try
            {
                outcomes.Add(AppendOutcome.Of(Append(request, now)));
            }
            catch (EventIdTakenException refusal)
            {
                outcomes.Add(AppendOutcome.Of(refusal)); // before it wrote anything
            }
        }

        transaction.Commit();
        return outcomes.MoveToImmutable();
    }

    /// <summary>Forgets events of a stream below a version, but never its last.</summary>
    public int Trim(string stream, long belowVersion)
    {
        using var trim = _connection.CreateCommand();
        trim.CommandText = """
            delete from events
            where stream = $stream and version < min($below, (select max(version) from events where stream = $stream))
            """;
        trim.Parameters.AddWithValue("$stream", stream);
        trim.Parameters.AddWithValue("$below", belowVersion);
        return trim.ExecuteNonQuery();
    }

    /// <summary>Forgets a stream.</summary>
    public int Delete(string stream)
    {
        using var delete = _connection.CreateCommand();
        delete.CommandText = "delete from events where stream = $stream";
        delete.Parameters.AddWithValue("$stream", stream);
        return delete.ExecuteNonQuery();
    }

    public void Dispose()
    {
        _find.Dispose();
        _lastVersion.Dispose();
        _insert.Dispose();
        _connection.Dispose();
    }

    private AppendResult Append(AppendRequest request, long now)
    {
        var known = request.Events.Select(Find).ToList();
        if (Repeats.IsRepeat(request.Stream, request.Events, known))
        {
            return new AppendResult.Appended(known[^1]!.Version, known[^1]!.Position, IsRepeat: true);
        }

        _lastVersion.Parameters["$stream"].Value = request.Stream;
        var version = (long)_lastVersion.ExecuteScalar()!;
        return request.ExpectedVersion != StreamVersion.Any && request.ExpectedVersion != version
            ? new AppendResult.Conflict(version)
            : Insert(request, version, now);
    }

    private KnownEvent? Find(NewEvent added)
    {
        _find.Parameters["$id"].Value = added.Id.ToByteArray(bigEndian: true);
        _find.Parameters["$length"].Value = added.Payload.Length;
        using var rows = _find.ExecuteReader();
        return !rows.Read()
            ? null
            : new KnownEvent(
                added.Id, rows.GetString(0), rows.GetInt64(1), rows.GetInt64(2), rows.GetString(3), rows.IsDBNull(4) ? null : rows.GetFieldValue<byte[]>(4));
    }

    private AppendResult.Appended Insert(AppendRequest request, long version, long now)
    {
        var values = _insert.Parameters;
        values["$stream"].Value = request.Stream;
        values["$recorded"].Value = now;
        long position = 0;
        foreach (var added in request.Events)
        {
            values["$version"].Value = ++version;
            values["$id"].Value = added.Id.ToByteArray(bigEndian: true);
            values["$type"].Value = added.Type;
            values["$payload"].Value = added.Payload.ToArray();
            position = (long)_insert.ExecuteScalar()!;
        }

        values["$payload"].Value = Array.Empty<byte>(); // keeps no event
        return new AppendResult.Appended(version, position, IsRepeat: false);
    }

    // The write lock from the start: no upgrade that could fail.
    private SqliteTransaction Begin()
    {
        var transaction = _connection.BeginTransaction(deferred: false);
        _find.Transaction = transaction;
        _lastVersion.Transaction = transaction;
        _insert.Transaction = transaction;
        return transaction;
    }

    private SqliteCommand Command(string sql, params ReadOnlySpan<(string Name, SqliteType Type)> parameters)
    {
        var command = _connection.CreateCommand();
        command.CommandText = sql;
        foreach (var (name, type) in parameters)
        {
            command.Parameters.Add(name, type);
        }

        return command;
    }
}
