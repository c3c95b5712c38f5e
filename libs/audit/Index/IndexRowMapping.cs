using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Serialization;
using Microsoft.Data.Sqlite;

namespace Parallax.Audit.Index;

/// <summary>Requests as rows of a table.</summary>
internal static class IndexRowMapping
{
    public const string Columns = """
        id, opened_us, ended_us, status, model, weights, fingerprint, key, client, choices, is_stream, prompt_tokens, cached_tokens, completion_tokens,
        first_ms, ms, segments, losses, reroutes, error_code, error, workers, segment, shown
        """;

    private const string Upsert = $"""
        insert or replace into requests ({Columns}) values
        ($id, $opened, $ended, $status, $model, $weights, $fingerprint, $key, $client, $choices, $stream, $prompt, $cached, $completion,
        $first, $ms, $segments, $losses, $reroutes, $code, $error, $workers, $segment, $shown)
        """;

    public static RequestRow? Find(SqliteConnection connection, SqliteTransaction? transaction, string id)
    {
        using var command = connection.CreateCommand();
        command.Transaction = transaction;
        command.CommandText = $"select {Columns} from requests where id = $id";
        command.Parameters.AddWithValue("$id", id);
        using var reader = command.ExecuteReader();
        return reader.Read() ? Read(reader) : null;
    }

    public static RequestRow Read(SqliteDataReader row) => new()
    {
        Id = row.GetString(0),
        OpenedAt = Time(row.GetInt64(1)),
        EndedAt = row.IsDBNull(2) ? null : Time(row.GetInt64(2)),
        Status = Enum.Parse<RequestStatus>(row.GetString(3), ignoreCase: true),
        Model = row.GetString(4),
        Weights = row.GetString(5),
        Fingerprint = row.GetString(6),
        Key = row.GetString(7),
        Client = row.GetString(8),
        Choices = row.GetInt32(9),
        IsStream = row.GetInt64(10) != 0,
        PromptTokens = row.GetInt32(11),
        CachedTokens = row.GetInt32(12),
        CompletionTokens = row.GetInt32(13),
        FirstTokenMilliseconds = row.IsDBNull(14) ? null : row.GetDouble(14),
        Milliseconds = row.IsDBNull(15) ? null : row.GetDouble(15),
        Segments = row.GetInt32(16),
        Losses = row.GetInt32(17),
        Reroutes = row.GetInt32(18),
        ErrorCode = row.IsDBNull(19) ? null : row.GetString(19),
        Error = row.IsDBNull(20) ? null : row.GetString(20),
        Workers = JsonSerializer.Deserialize(row.GetString(21), IndexJson.Default.ImmutableArrayString),
        Segment = row.GetString(22),
        Shown = JsonSerializer.Deserialize(row.GetString(23), IndexJson.Default.ImmutableArrayInt32),
    };

    public static void Write(SqliteConnection connection, SqliteTransaction transaction, RequestRow row)
    {
        using var command = connection.CreateCommand();
        command.Transaction = transaction;
        command.CommandText = Upsert;
        var values = command.Parameters;
        values.AddWithValue("$id", row.Id);
        values.AddWithValue("$opened", Microseconds(row.OpenedAt));
        values.AddWithValue("$ended", row.EndedAt is { } ended ? Microseconds(ended) : DBNull.Value);
        values.AddWithValue("$status", row.Status.Word());
        values.AddWithValue("$model", row.Model);
        values.AddWithValue("$weights", row.Weights);
        values.AddWithValue("$fingerprint", row.Fingerprint);
        values.AddWithValue("$key", row.Key);
        values.AddWithValue("$client", row.Client);
        values.AddWithValue("$choices", row.Choices);
        values.AddWithValue("$stream", row.IsStream ? 1 : 0);
        values.AddWithValue("$prompt", row.PromptTokens);
        values.AddWithValue("$cached", row.CachedTokens);
        values.AddWithValue("$completion", row.CompletionTokens);
        values.AddWithValue("$first", (object?)row.FirstTokenMilliseconds ?? DBNull.Value);
        values.AddWithValue("$ms", (object?)row.Milliseconds ?? DBNull.Value);
        values.AddWithValue("$segments", row.Segments);
        values.AddWithValue("$losses", row.Losses);
        values.AddWithValue("$reroutes", row.Reroutes);
        values.AddWithValue("$code", (object?)row.ErrorCode ?? DBNull.Value);
        values.AddWithValue("$error", (object?)row.Error ?? DBNull.Value);
        values.AddWithValue("$workers", JsonSerializer.Serialize(row.Workers, IndexJson.Default.ImmutableArrayString));
        values.AddWithValue("$segment", row.Segment);
        values.AddWithValue("$shown", JsonSerializer.Serialize(row.Shown, IndexJson.Default.ImmutableArrayInt32));
        command.ExecuteNonQuery();
    }

    public static long Microseconds(DateTimeOffset time) => (time - DateTimeOffset.UnixEpoch).Ticks / TimeSpan.TicksPerMicrosecond;

    public static DateTimeOffset Time(long microseconds) => DateTimeOffset.UnixEpoch.AddTicks(microseconds * TimeSpan.TicksPerMicrosecond);
}

[JsonSerializable(typeof(ImmutableArray<string>))]
[JsonSerializable(typeof(ImmutableArray<int>))]
internal sealed partial class IndexJson : JsonSerializerContext;
