using Parallax.EventStore;

namespace Parallax.Cli.Audit;

/// <summary>Event stores by their locations.</summary>
internal static class AuditStores
{
    /// <summary>Whether a location is a server's, and no file.</summary>
    public static bool IsRemote(string location) =>
        location.Contains("://", StringComparison.Ordinal) || (location.Contains('=', StringComparison.Ordinal) && !File.Exists(location));

    /// <summary>Opens one.</summary>
    /// <exception cref="EventStoreException">It cannot be used.</exception>
    public static IEventStore Open(string location) => EventStores.Open(location, TimeProvider.System);
}
