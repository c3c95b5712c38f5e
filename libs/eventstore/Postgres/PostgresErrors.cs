using System.Net.Sockets;
using Npgsql;

namespace Parallax.EventStore.Postgres;

/// <summary>What went wrong with the database, in words that help.</summary>
internal static class PostgresErrors
{
    private const string IdleInTransactionTimeout = "25P03"; // Npgsql has no name for it

    /// <summary>Whether an error is one of the database's or of the way to it.</summary>
    public static bool IsOfDatabase(Exception problem) => problem is NpgsqlException or SocketException or IOException or TimeoutException;

    /// <summary>
    /// Whether the connection was gone, or the server was going: on a new one it may be better. A statement's own failure is none of these.
    /// </summary>
    public static bool IsConnectionLost(Exception problem) => problem switch
    {
        PostgresException { SqlState: PostgresErrorCodes.AdminShutdown or PostgresErrorCodes.CrashShutdown or IdleInTransactionTimeout } => true,
        PostgresException => false,
        NpgsqlException { InnerException: TimeoutException } or TimeoutException => false,
        _ => IsOfDatabase(problem),
    };

    /// <summary>Whether the store's tables are not there.</summary>
    public static bool IsSchemaMissing(Exception problem) =>
        problem is PostgresException { SqlState: PostgresErrorCodes.UndefinedTable or PostgresErrorCodes.InvalidSchemaName };

    public static EventStoreException Translate(Exception problem, string store) => new(
        problem switch
        {
            PostgresException refused => Translate(refused, store),
            NpgsqlException { InnerException: TimeoutException } or TimeoutException =>
                $"The event store {store} did not answer in time: the server is too busy, or cannot be reached.",
            _ => $"The event store {store} cannot be reached: {Innermost(problem)} Start the server, or correct the address.",
        },
        problem);

    private static string Translate(PostgresException refused, string store) => refused.SqlState switch
    {
        PostgresErrorCodes.InvalidPassword or PostgresErrorCodes.InvalidAuthorizationSpecification =>
            $"The event store {store} does not let this user in: {refused.MessageText}. Check user and password.",
        PostgresErrorCodes.InvalidCatalogName => $"The event store {store} cannot be opened: {refused.MessageText}. Create the database.",
        PostgresErrorCodes.InsufficientPrivilege =>
            $"The event store {store} does not let this user do that: {refused.MessageText}. Use a user that may, or grant it (docs/eventstore.md).",
        PostgresErrorCodes.ReadOnlySqlTransaction => $"The event store {store} takes no writes: it is a standby, or set to read-only. Name the primary server.",
        PostgresErrorCodes.DiskFull => $"The disk of the event store {store} is full.",
        PostgresErrorCodes.TooManyConnections =>
            $"The event store {store} takes no more connections: {refused.MessageText}. Raise max_connections, or lower Maximum Pool Size.",
        PostgresErrorCodes.LockNotAvailable => $"The event store {store} is busy: another process holds it for too long.",
        PostgresErrorCodes.QueryCanceled => $"The event store {store} gave up a statement: {refused.MessageText}.",
        PostgresErrorCodes.CannotConnectNow or PostgresErrorCodes.AdminShutdown or PostgresErrorCodes.CrashShutdown =>
            $"The event store {store} is starting or stopping: {refused.MessageText}. Try again.",
        PostgresErrorCodes.UndefinedTable or PostgresErrorCodes.InvalidSchemaName =>
            $"The event store {store} has lost its tables: {refused.MessageText}. Restore it from a copy; the next call creates empty ones where this user may.",
        _ => $"The event store {store} failed: {refused.MessageText} ({refused.SqlState}).",
    };

    private static string Innermost(Exception problem)
    {
        while (problem.InnerException is { } inner)
        {
            problem = inner;
        }

        return $"{problem.Message.TrimEnd('.')}.";
    }
}
