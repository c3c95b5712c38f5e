using System.Collections.Immutable;
using Microsoft.Data.Sqlite;

namespace Parallax.EventStore.Sqlite;

/// <summary>The statements of the store: reads return pages that are bounded in events and bytes.</summary>
internal static class SqlitePages
{
    private const string Columns = "stream, version, position, id, type, recorded_at_us, payload";

    public static List<StoredEvent> Read(SqliteConnection connection, string stream, long fromVersion)
    {
        using var command = connection.CreateCommand();
        command.CommandText = $"select {Columns} from events where stream = $stream and version >= $from order by version limit {EventStoreLimits.PageEvents}";
        command.Parameters.AddWithValue("$stream", stream);
        command.Parameters.AddWithValue("$from", fromVersion);
        return Page(command);
    }

    public static List<StoredEvent> ReadAll(SqliteConnection connection, long afterPosition)
    {
        using var command = connection.CreateCommand();
        command.CommandText = $"select {Columns} from events where position > $after order by position limit {EventStoreLimits.PageEvents}";
        command.Parameters.AddWithValue("$after", afterPosition);
        return Page(command);
    }

    /// <summary>The stored events that have the ids of new ones; null where there is none.</summary>
    public static List<StoredEvent?> Find(SqliteConnection connection, SqliteTransaction transaction, ImmutableArray<NewEvent> events)
    {
        using var command = connection.CreateCommand();
        command.Transaction = transaction;
        command.CommandText = $"select {Columns} from events where id = $id";
        var id = command.Parameters.Add("$id", SqliteType.Blob);
        var found = new List<StoredEvent?>(events.Length);
        foreach (var added in events)
        {
            id.Value = added.Id.ToByteArray(bigEndian: true);
            found.Add(Page(command).FirstOrDefault());
        }

        return found;
    }

    /// <summary>The version of a stream's last event; 0 when it has none.</summary>
    public static long LastVersion(SqliteConnection connection, SqliteTransaction transaction, string stream)
    {
        using var command = connection.CreateCommand();
        command.Transaction = transaction;
        command.CommandText = "select coalesce(max(version), 0) from events where stream = $stream";
        command.Parameters.AddWithValue("$stream", stream);
        return (long)command.ExecuteScalar()!;
    }

    /// <summary>Inserts events behind a version.</summary>
    /// <returns>The position of the last.</returns>
    public static long Insert(
        SqliteConnection connection, SqliteTransaction transaction, string stream, long version, ImmutableArray<NewEvent> events, DateTimeOffset now)
    {
        using var command = connection.CreateCommand();
        command.Transaction = transaction;
        command.CommandText = """
            insert into events (stream, version, id, type, recorded_at_us, payload)
            values ($stream, $version, $id, $type, $recorded, $payload)
            returning position
            """;
        command.Parameters.AddWithValue("$stream", stream);
        command.Parameters.AddWithValue("$recorded", Timestamps.ToMicroseconds(now));
        var place = command.Parameters.Add("$version", SqliteType.Integer);
        var id = command.Parameters.Add("$id", SqliteType.Blob);
        var type = command.Parameters.Add("$type", SqliteType.Text);
        var payload = command.Parameters.Add("$payload", SqliteType.Blob);
        long position = 0;
        foreach (var added in events)
        {
            place.Value = ++version;
            id.Value = added.Id.ToByteArray(bigEndian: true);
            type.Value = added.Type;
            payload.Value = added.Payload.ToArray();
            position = (long)command.ExecuteScalar()!;
        }

        return position;
    }

    private static List<StoredEvent> Page(SqliteCommand command)
    {
        var page = new List<StoredEvent>();
        long bytes = 0;
        using var rows = command.ExecuteReader();
        while (bytes < EventStoreLimits.PageBytes && rows.Read())
        {
            var payload = rows.GetFieldValue<byte[]>(6);
            page.Add(new StoredEvent(
                rows.GetString(0),
                rows.GetInt64(1),
                rows.GetInt64(2),
                new Guid(rows.GetFieldValue<byte[]>(3), bigEndian: true),
                rows.GetString(4),
                Timestamps.FromMicroseconds(rows.GetInt64(5)),
                payload));
            bytes += payload.Length;
        }

        return page;
    }
}
