using Microsoft.Data.Sqlite;

namespace Parallax.EventStore.Sqlite;

/// <summary>Opens connections to an event store's file and sees to it that the file is one.</summary>
internal static class SqliteConnections
{
    /// <summary>Marks the file as ours ("PLXE").</summary>
    private const int ApplicationId = 0x504C5845;

    /// <summary>Version of the tables; raised with each change, and older files are then changed step by step.</summary>
    private const int SchemaVersion = 1;

    private const string Schema = """
        create table events (
            position integer primary key autoincrement,
            stream text not null,
            version integer not null,
            id blob not null unique,
            type text not null,
            recorded_at_us integer not null,
            payload blob not null,
            unique (stream, version)
        ) strict;
        """;

    public static SqliteConnection Open(string path, SqliteEventStoreOptions options)
    {
        var connection = new SqliteConnection(new SqliteConnectionStringBuilder
        {
            DataSource = path,
            Mode = SqliteOpenMode.ReadWriteCreate,
            Pooling = false, // the store keeps its connections
            DefaultTimeout = Math.Max(1, (int)Math.Ceiling(options.BusyTimeout.TotalSeconds)),
        }.ToString());
        try
        {
            connection.Open();
            // SQLite's own waiting is finer than the client library's. A commit is forced to the disk: a term that has been
            // handed out must not be forgotten when the machine loses power.
            Execute(connection, $"pragma busy_timeout = {(long)options.BusyTimeout.TotalMilliseconds}");
            Execute(connection, "pragma journal_mode = wal");
            Execute(connection, "pragma synchronous = full");
            return connection;
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    /// <summary>Creates the tables in an empty file; refuses a file that is something else.</summary>
    public static void Prepare(SqliteConnection connection, string path)
    {
        using var transaction = connection.BeginTransaction(deferred: false);
        var application = Number(connection, transaction, "pragma application_id");
        var version = Number(connection, transaction, "pragma user_version");
        if (application == 0 && version == 0 && Number(connection, transaction, "select count(*) from sqlite_master") == 0)
        {
            Execute(connection, Schema, transaction);
            Execute(connection, $"pragma application_id = {ApplicationId}", transaction);
            Execute(connection, $"pragma user_version = {SchemaVersion}", transaction);
            transaction.Commit();
            return;
        }

        if (application != ApplicationId)
        {
            throw new EventStoreException($"'{path}' is a SQLite file of another program; name another file for the event store.");
        }

        if (version > SchemaVersion)
        {
            throw new EventStoreException(
                $"'{path}' was written by a newer Parallax (version {version} of its tables; this program knows {SchemaVersion}); update this program.");
        }
    }

    private static void Execute(SqliteConnection connection, string sql, SqliteTransaction? transaction = null)
    {
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        command.Transaction = transaction;
        command.ExecuteNonQuery();
    }

    private static long Number(SqliteConnection connection, SqliteTransaction transaction, string sql)
    {
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        command.Transaction = transaction;
        return (long)command.ExecuteScalar()!;
    }
}
