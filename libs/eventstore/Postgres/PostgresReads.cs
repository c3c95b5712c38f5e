using Npgsql;

namespace Parallax.EventStore.Postgres;

/// <summary>The reads of the store: pages that are bounded in events and bytes before they leave the server.</summary>
internal static class PostgresReads
{
    private const string Columns = "stream, version, position, id, type, recorded_at_us, payload";

    private static readonly string Stream = Page("stream = $1 and version >= $2", "version");
    private static readonly string All = Page("position > $1", "position");

    public static Task<List<StoredEvent>> ReadAsync(NpgsqlConnection connection, string stream, long fromVersion, CancellationToken cancellationToken) =>
        PageAsync(connection, Stream, [new NpgsqlParameter<string> { TypedValue = stream }, new NpgsqlParameter<long> { TypedValue = fromVersion }], cancellationToken);

    public static Task<List<StoredEvent>> ReadAllAsync(NpgsqlConnection connection, long afterPosition, CancellationToken cancellationToken) =>
        PageAsync(connection, All, [new NpgsqlParameter<long> { TypedValue = afterPosition }], cancellationToken);

    // The length of a payload is known without reading it, and what is cut off is never read.
    private static string Page(string condition, string order) => $"""
        select {Columns} from (
            select *, sum(octet_length(payload)) over (order by {order} rows between unbounded preceding and 1 preceding) as bytes_before
            from (select {Columns} from {PostgresSchema.Name}.events where {condition} order by {order} limit {EventStoreLimits.PageEvents}) found
        ) measured
        where coalesce(bytes_before, 0) < {EventStoreLimits.PageBytes}
        order by {order}
        """;

    private static async Task<List<StoredEvent>> PageAsync(
        NpgsqlConnection connection, string sql, NpgsqlParameter[] parameters, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        foreach (var parameter in parameters)
        {
            command.Parameters.Add(parameter);
        }

        var page = new List<StoredEvent>();
        await using var rows = await command.ExecuteReaderAsync(cancellationToken);
        while (await rows.ReadAsync(cancellationToken))
        {
            page.Add(new StoredEvent(
                rows.GetString(0),
                rows.GetInt64(1),
                rows.GetInt64(2),
                rows.GetGuid(3),
                rows.GetString(4),
                Timestamps.FromMicroseconds(rows.GetInt64(5)),
                rows.GetFieldValue<byte[]>(6)));
        }

        return page;
    }
}
