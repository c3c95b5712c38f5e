using Microsoft.Data.Sqlite;

namespace Parallax.Audit.Index;

/// <summary>The tables of the index's file.</summary>
internal static class IndexSchema
{
    /// <summary>Marks the file as ours ("PLXI").</summary>
    private const long ApplicationId = 0x504C5849;

    /// <summary>Raised with each change of the tables or of what is put into them: an index of another version is made anew.</summary>
    private const long Version = 1;

    private const string Tables = """
        create table state (id integer primary key check (id = 1), position integer not null, event blob) strict;
        insert into state values (1, 0, null);
        create table requests (
            id text primary key,
            opened_us integer not null,
            ended_us integer,
            status text not null,
            model text not null,
            weights text not null,
            fingerprint text not null,
            key text not null,
            client text not null,
            choices integer not null,
            is_stream integer not null,
            prompt_tokens integer not null,
            cached_tokens integer not null,
            completion_tokens integer not null,
            first_ms real,
            ms real,
            segments integer not null,
            losses integer not null,
            reroutes integer not null,
            error_code text,
            error text,
            workers text not null,
            segment text not null,
            shown text not null
        ) strict;
        create index requests_by_time on requests (opened_us, id);
        create index requests_by_model on requests (model, opened_us, id);
        create index requests_by_client on requests (client, opened_us, id);
        create index requests_by_key on requests (key, opened_us, id);
        create index requests_by_status on requests (status, opened_us, id);
        create table segments (stream text primary key, request text not null) strict;
        create index segments_by_request on segments (request);
        create table request_workers (worker text not null, request text not null, primary key (worker, request)) strict, without rowid;
        create index workers_by_request on request_workers (request);
        create table losses (position integer primary key, worker text not null, request text not null, at_us integer not null, problem text not null) strict;
        create index losses_by_request on losses (request);
        """;

    /// <summary>Sees to it that the tables are there and of this version.</summary>
    /// <exception cref="AuditIndexException">The file is something else.</exception>
    public static void Prepare(SqliteConnection connection, string path)
    {
        using var transaction = connection.BeginTransaction(deferred: false);
        var (application, version) = (Number(connection, transaction, "pragma application_id"), Number(connection, transaction, "pragma user_version"));
        if (application != ApplicationId && Number(connection, transaction, "select count(*) from sqlite_master") > 0)
        {
            throw new AuditIndexException($"'{path}' is a SQLite file of another program; name another file for the audit's index.");
        }

        if (application != ApplicationId || version != Version)
        {
            Create(connection, transaction);
        }

        transaction.Commit();
    }

    /// <summary>Empties the index.</summary>
    public static void Create(SqliteConnection connection, SqliteTransaction transaction)
    {
        List<string> tables = [];
        using (var command = connection.CreateCommand())
        {
            command.Transaction = transaction;
            command.CommandText = "select name from sqlite_master where type = 'table' and name not like 'sqlite_%'";
            using var reader = command.ExecuteReader();
            while (reader.Read())
            {
                tables.Add(reader.GetString(0));
            }
        }

        foreach (var table in tables)
        {
            Execute(connection, transaction, $"drop table \"{table.Replace("\"", "\"\"", StringComparison.Ordinal)}\"");
        }

        Execute(connection, transaction, Tables);
        Execute(connection, transaction, $"pragma application_id = {ApplicationId}");
        Execute(connection, transaction, $"pragma user_version = {Version}");
    }

    private static void Execute(SqliteConnection connection, SqliteTransaction transaction, string sql)
    {
        using var command = connection.CreateCommand();
        command.Transaction = transaction;
        command.CommandText = sql;
        command.ExecuteNonQuery();
    }

    private static long Number(SqliteConnection connection, SqliteTransaction transaction, string sql)
    {
        using var command = connection.CreateCommand();
        command.Transaction = transaction;
        command.CommandText = sql;
        return (long)command.ExecuteScalar()!;
    }
}
