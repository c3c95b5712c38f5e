using Parallax.EventStore;
using Parallax.EventStore.Sqlite;

namespace Parallax.Cli.Audit;

/// <summary>Event stores by their locations.</summary>
internal static class AuditStores
{
    /// <summary>Whether a location is a server's, and no file.</summary>
    public static bool IsRemote(string location) =>
        location.StartsWith("postgres://", StringComparison.OrdinalIgnoreCase) || location.StartsWith("postgresql://", StringComparison.OrdinalIgnoreCase);

    /// <summary>Opens one.</summary>
    public static IEventStore Open(string location) => IsRemote(location)
        ? throw new AuditCommandException("This build has no event store on PostgreSQL: name a SQLite file, or a router with --url.")
        : SqliteEventStore.Open(location, TimeProvider.System);
}
