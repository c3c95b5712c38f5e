using Microsoft.Data.Sqlite;

namespace Parallax.EventStore.Sqlite;

/// <summary>The reads of the store: pages that are bounded in events and bytes.</summary>
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
