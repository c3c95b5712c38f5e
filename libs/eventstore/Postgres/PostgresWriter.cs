using System.Collections.Immutable;
using System.Data;
using Npgsql;
using Parallax.EventStore.Appends;

namespace Parallax.EventStore.Postgres;

/// <summary>
/// The transactions of the store that write. Each holds the store's lock until it ends (see <see cref="PostgresSchema.LockKey"/>), gives up
/// waiting for it after a time, and is ended by the server if its process stops in the middle.
/// </summary>
internal sealed class PostgresWriter(TimeProvider clock, PostgresEventStoreOptions options)
{
    /// <summary>Subscribers of other processes listen on it.</summary>
    public const string Channel = "parallax_events";

    // No statement of a transaction waits for anything but the database, so a pause between two is a process that hangs.
    private static readonly TimeSpan IdleTimeout = TimeSpan.FromSeconds(5);

    /// <summary>Appends in one transaction, in three turns: what is there, what is new, and the commit.</summary>
    public async Task<ImmutableArray<AppendOutcome>> AppendAsync(
        NpgsqlConnection connection, ImmutableArray<AppendRequest> batch, CancellationToken cancellationToken)
    {
        await using var transaction = await connection.BeginTransactionAsync(IsolationLevel.ReadCommitted, cancellationToken);
        var plan = await PlanAsync(connection, batch, cancellationToken);
        if (plan.Rows.Count == 0)
        {
            return plan.Outcomes([]);
        }

        var positions = await InsertAsync(connection, plan.Rows, cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        return plan.Outcomes(positions);
    }

    /// <summary>Forgets events of a stream below a version, but never its last.</summary>
    public Task<int> TrimAsync(NpgsqlConnection connection, string stream, long belowVersion, CancellationToken cancellationToken) => RemoveAsync(
        connection,
        $"""
        delete from {PostgresSchema.Name}.events
        where stream = $1 and version < least($2, (select max(version) from {PostgresSchema.Name}.events where stream = $1))
        """,
        [Value(stream), Value(belowVersion)],
        cancellationToken);

    /// <summary>Forgets a stream.</summary>
    public Task<int> DeleteAsync(NpgsqlConnection connection, string stream, CancellationToken cancellationToken) => RemoveAsync(
        connection, $"delete from {PostgresSchema.Name}.events where stream = $1", [Value(stream)], cancellationToken);

    private static NpgsqlParameter<T> Value<T>(T value) => new() { TypedValue = value };

    private static NpgsqlBatchCommand Command(string sql, params ReadOnlySpan<NpgsqlParameter> parameters)
    {
        var command = new NpgsqlBatchCommand(sql);
        foreach (var parameter in parameters)
        {
            command.Parameters.Add(parameter);
        }

        return command;
    }

    private async Task<int> RemoveAsync(
        NpgsqlConnection connection, string sql, NpgsqlParameter[] parameters, CancellationToken cancellationToken)
    {
        // With the lock: an append that has read the stream's last version must not find it gone when it inserts.
        await using var transaction = await connection.BeginTransactionAsync(IsolationLevel.ReadCommitted, cancellationToken);
        var removal = Command(sql, parameters);
        await using (var batch = new NpgsqlBatch(connection) { BatchCommands = { Timeouts(), Lock(), removal } })
        {
            await batch.ExecuteNonQueryAsync(cancellationToken);
        }

        await transaction.CommitAsync(cancellationToken);
        return removal.RecordsAffected;
    }

    private NpgsqlBatchCommand Timeouts() => Command(
        "select set_config('lock_timeout', $1, true), set_config('idle_in_transaction_session_timeout', $2, true)",
        Value(Milliseconds(options.LockTimeout)),
        Value(Milliseconds(IdleTimeout)));

    private static NpgsqlBatchCommand Lock() => Command("select pg_advisory_xact_lock($1)", Value(PostgresSchema.LockKey));

    private static string Milliseconds(TimeSpan time) => $"{(long)time.TotalMilliseconds}ms";

    // Each statement behind the lock's sees all that was committed before it was given.
    private async Task<BatchPlan> PlanAsync(NpgsqlConnection connection, ImmutableArray<AppendRequest> batch, CancellationToken cancellationToken)
    {
        var events = batch.SelectMany(static request => request.Events).ToList();
        await using var queries = new NpgsqlBatch(connection)
        {
            BatchCommands =
            {
                Timeouts(),
                Lock(),
                Command(
                    $"""
                    select id, stream, version, position, type, case when octet_length(payload) = any($2) then payload end
                    from {PostgresSchema.Name}.events where id = any($1)
                    """,
                    Value(events.Select(static added => added.Id).Distinct().ToArray()),
                    Value(events.Select(static added => added.Payload.Length).Distinct().ToArray())),
                Command(
                    $"""
                    select stream, (select max(version) from {PostgresSchema.Name}.events e where e.stream = asked.stream)
                    from unnest($1) as asked (stream)
                    """,
                    Value(batch.Select(static request => request.Stream).Distinct(StringComparer.Ordinal).ToArray())),
            },
        };
        await using var rows = await queries.ExecuteReaderAsync(cancellationToken);
        await rows.NextResultAsync(cancellationToken);
        await rows.NextResultAsync(cancellationToken);
        var known = new Dictionary<Guid, KnownEvent>();
        while (await rows.ReadAsync(cancellationToken))
        {
            var id = rows.GetGuid(0);
            known[id] = new KnownEvent(
                id, rows.GetString(1), rows.GetInt64(2), rows.GetInt64(3), rows.GetString(4), rows.IsDBNull(5) ? null : rows.GetFieldValue<byte[]>(5));
        }

        await rows.NextResultAsync(cancellationToken);
        var versions = new Dictionary<string, long>(StringComparer.Ordinal);
        while (await rows.ReadAsync(cancellationToken))
        {
            if (!rows.IsDBNull(1))
            {
                versions[rows.GetString(0)] = rows.GetInt64(1);
            }
        }

        return new BatchPlan(batch, known, versions);
    }

    private async Task<long[]> InsertAsync(NpgsqlConnection connection, IReadOnlyList<BatchRow> rows, CancellationToken cancellationToken)
    {
        await using var inserts = new NpgsqlBatch(connection)
        {
            BatchCommands =
            {
                Command(
                    $"""
                    insert into {PostgresSchema.Name}.events (stream, version, id, type, recorded_at_us, payload)
                    select stream, version, id, type, $6, payload
                    from unnest($1, $2, $3, $4, $5) with ordinality as added (stream, version, id, type, payload, place)
                    order by place
                    returning position
                    """,
                    Value(rows.Select(static row => row.Stream).ToArray()),
                    Value(rows.Select(static row => row.Version).ToArray()),
                    Value(rows.Select(static row => row.Event.Id).ToArray()),
                    Value(rows.Select(static row => row.Event.Type).ToArray()),
                    Value(rows.Select(static row => row.Event.Payload.ToArray()).ToArray()),
                    Value(Timestamps.ToMicroseconds(clock.GetUtcNow()))),
                Command($"select pg_notify('{Channel}', '')"),
            },
        };
        var positions = new List<long>(rows.Count);
        await using var inserted = await inserts.ExecuteReaderAsync(cancellationToken);
        while (await inserted.ReadAsync(cancellationToken))
        {
            positions.Add(inserted.GetInt64(0));
        }

        // Rows got their positions in their order; in which order they come back is the server's affair.
        positions.Sort();
        return [.. positions];
    }
}
