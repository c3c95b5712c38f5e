using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using Microsoft.Data.Sqlite;

namespace Parallax.Audit.Index;

/// <summary>What can be asked.</summary>
public sealed partial class AuditIndex
{
    /// <summary>Requests on a page at most.</summary>
    public const int MaxPage = 1000;

    /// <summary>Rows of usage, and of failures, at most.</summary>
    public const int MaxRows = 10_000;

    /// <summary>Requests, newest first.</summary>
    /// <param name="filter">Which.</param>
    /// <param name="after">The <see cref="RequestPage.Next"/> of the page before; null for the first.</param>
    /// <param name="limit">Requests on the page, 1 to <see cref="MaxPage"/>.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="AuditIndexException">The cursor is none, or the index cannot be used.</exception>
    public Task<RequestPage> ListAsync(RequestFilter filter, string? after, int limit, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(filter);
        ArgumentOutOfRangeException.ThrowIfLessThan(limit, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(limit, MaxPage);
        var from = after is null ? null : Cursor(after);
        return InTurnAsync(
            () =>
            {
                using var command = _connection.CreateCommand();
                var sql = new StringBuilder($"select {IndexRowMapping.Columns} from requests where 1");
                Where(command, sql, filter);
                if (from is var (time, id))
                {
                    sql.Append(" and (opened_us, id) < ($time, $id)");
                    command.Parameters.AddWithValue("$time", time);
                    command.Parameters.AddWithValue("$id", id);
                }

                command.CommandText = sql.Append(CultureInfo.InvariantCulture, $" order by opened_us desc, id desc limit {limit + 1}").ToString();
                var rows = Read(command, IndexRowMapping.Read);
                return rows.Length <= limit
                    ? new RequestPage(rows, null)
                    : new RequestPage(rows[..limit], string.Create(CultureInfo.InvariantCulture, $"{IndexRowMapping.Microseconds(rows[limit - 1].OpenedAt)}.{rows[limit - 1].Id}"));
            },
            cancellationToken);
    }

    /// <summary>One request; null where there is none of the id.</summary>
    public Task<RequestRow?> FindAsync(string id, CancellationToken cancellationToken) =>
        InTurnAsync(() => IndexRowMapping.Find(_connection, null, id), cancellationToken);

    /// <summary>A request's segments, in the order in which they came.</summary>
    public Task<ImmutableArray<string>> SegmentsAsync(string id, CancellationToken cancellationToken) => InTurnAsync(
        () =>
        {
            using var command = _connection.CreateCommand();
            command.CommandText = "select stream from segments where request = $id order by rowid";
            command.Parameters.AddWithValue("$id", id);
            return Read(command, static row => row.GetString(0));
        },
        cancellationToken);

    /// <summary>Ids of requests that ended before a time, in their own order.</summary>
    /// <param name="before">The time.</param>
    /// <param name="after">The last id of the page before; null for the first.</param>
    /// <param name="cancellationToken">Gives up.</param>
    internal Task<ImmutableArray<string>> EndedAsync(DateTimeOffset before, string? after, CancellationToken cancellationToken) => InTurnAsync(
        () =>
        {
            using var command = _connection.CreateCommand();
            command.CommandText = string.Create(
                CultureInfo.InvariantCulture, $"select id from requests where ended_us < $before and status <> 'running' and id > $after order by id limit {MaxPage}");
            command.Parameters.AddWithValue("$before", IndexRowMapping.Microseconds(before));
            command.Parameters.AddWithValue("$after", after ?? "");
            return Read(command, static row => row.GetString(0));
        },
        cancellationToken);

    /// <summary>Usage by day, key, client and model; newest days first.</summary>
    public Task<ImmutableArray<UsageRow>> UsageAsync(RequestFilter filter, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(filter);
        return InTurnAsync(
            () =>
            {
                using var command = _connection.CreateCommand();
                var sql = new StringBuilder("""
                    select date(opened_us / 1000000, 'unixepoch'), key, client, model, count(*), sum(status = 'completed'), sum(prompt_tokens), sum(cached_tokens), sum(completion_tokens)
                    from requests where 1
                    """);
                Where(command, sql, filter);
                command.CommandText = sql.Append(CultureInfo.InvariantCulture, $" group by 1, 2, 3, 4 order by 1 desc, 2, 3, 4 limit {MaxRows}").ToString();
                return Read(command, static row => new UsageRow(
                    row.GetString(0), row.GetString(1), row.GetString(2), row.GetString(3), row.GetInt64(4), row.GetInt64(5), row.GetInt64(6), row.GetInt64(7), row.GetInt64(8)));
            },
            cancellationToken);
    }

    /// <summary>Losses by worker, the most first.</summary>
    public Task<ImmutableArray<FailureRow>> FailuresAsync(DateTimeOffset? since, DateTimeOffset? until, CancellationToken cancellationToken) => InTurnAsync(
        () =>
        {
            using var command = _connection.CreateCommand();
            // SQLite takes the other columns from the row of the greatest time.
            command.CommandText = string.Create(CultureInfo.InvariantCulture, $"""
                select worker, count(*), count(distinct request), max(at_us), problem from losses
                where at_us >= $since and at_us < $until group by worker order by 2 desc, 1 limit {MaxRows}
                """);
            command.Parameters.AddWithValue("$since", since is { } from ? IndexRowMapping.Microseconds(from) : long.MinValue);
            command.Parameters.AddWithValue("$until", until is { } to ? IndexRowMapping.Microseconds(to) : long.MaxValue);
            return Read(command, static row => new FailureRow(row.GetString(0), row.GetInt64(1), row.GetInt64(2), IndexRowMapping.Time(row.GetInt64(3)), row.GetString(4)));
        },
        cancellationToken);

    private static void Where(SqliteCommand command, StringBuilder sql, RequestFilter filter)
    {
        And("opened_us >= ", filter.Since is { } since ? IndexRowMapping.Microseconds(since) : null);
        And("opened_us < ", filter.Until is { } until ? IndexRowMapping.Microseconds(until) : null);
        And("model = ", filter.Model);
        And("client = ", filter.Client);
        And("key = ", filter.Key);
        And("status = ", filter.Status?.Word());
        if (filter.Worker is { } worker)
        {
            sql.Append(" and id in (select request from request_workers where worker = $worker)");
            command.Parameters.AddWithValue("$worker", worker);
        }

        void And(string condition, object? value)
        {
            if (value is not null)
            {
                var name = string.Create(CultureInfo.InvariantCulture, $"$p{command.Parameters.Count}");
                sql.Append(" and ").Append(condition).Append(name);
                command.Parameters.AddWithValue(name, value);
            }
        }
    }

    private static ImmutableArray<T> Read<T>(SqliteCommand command, Func<SqliteDataReader, T> map)
    {
        var rows = ImmutableArray.CreateBuilder<T>();
        using var reader = command.ExecuteReader();
        while (reader.Read())
        {
            rows.Add(map(reader));
        }

        return rows.ToImmutable();
    }

    private static (long Time, string Id)? Cursor(string after)
    {
        var dot = after.IndexOf('.', StringComparison.Ordinal);
        return dot > 0 && long.TryParse(after.AsSpan(0, dot), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var time)
            ? (time, after[(dot + 1)..])
            : throw new AuditIndexException($"'{after}' is no cursor of a page: take it from the answer's 'next'.");
    }
}
