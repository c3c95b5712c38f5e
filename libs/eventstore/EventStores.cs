using Microsoft.Extensions.Logging;
using Parallax.EventStore.Memory;
using Parallax.EventStore.Postgres;
using Parallax.EventStore.Sqlite;

namespace Parallax.EventStore;

/// <summary>Opens the store that a setting names.</summary>
public static class EventStores
{
    private const string Memory = "memory:";

    /// <summary>
    /// Opens a store: <c>memory:</c> this process's memory; <c>postgres://user@host:port/database?passwordfile=path</c> or an Npgsql
    /// connection string a PostgreSQL database, which need not be reachable yet; anything else is the path of a SQLite file, which is
    /// created when there is none.
    /// </summary>
    /// <param name="where">The setting.</param>
    /// <param name="clock">Stamps events and times subscribers' polling.</param>
    /// <param name="loggers">Null logs nothing.</param>
    /// <exception cref="EventStoreException">The setting is not right, or the file cannot be used.</exception>
    public static IEventStore Open(string where, TimeProvider clock, ILoggerFactory? loggers = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(where);
        if (where == Memory)
        {
            return new InMemoryEventStore(clock);
        }

        if (IsServer(where))
        {
            return PostgresEventStore.Open(where, clock, loggers);
        }

        // A path may have a colon, but hardly two slashes behind it.
        return where.IndexOf("://", StringComparison.Ordinal) is var colon and > 0
            ? throw new EventStoreException($"There is no event store of the kind '{where[..colon]}'; write a file's path, postgres://..., or {Memory}")
            : SqliteEventStore.Open(where, clock);
    }

    /// <summary>Whether a setting means a server's store, and no file or memory.</summary>
    public static bool IsServer(string where)
    {
        ArgumentException.ThrowIfNullOrEmpty(where);
        return PostgresAddress.IsMeant(where);
    }

    /// <summary>What may stand in logs and messages in place of the setting: the same without password.</summary>
    /// <exception cref="EventStoreException">The setting is not right.</exception>
    public static string Describe(string where)
    {
        ArgumentException.ThrowIfNullOrEmpty(where);
        return IsServer(where) ? PostgresAddress.Parse(where).Description : where;
    }
}
