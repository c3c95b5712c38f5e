using Microsoft.Data.Sqlite;

namespace Parallax.EventStore.Sqlite;

/// <summary>What went wrong with the file, in words that help.</summary>
internal static class SqliteErrors
{
    public static EventStoreException Translate(SqliteException problem, string path) => new(
        (problem.SqliteErrorCode & 0xFF) switch
        {
            5 or 6 => $"The event store '{path}' is busy: another process holds it for too long.",
            8 => $"The event store '{path}' cannot be written: the file or its folder is read-only.",
            11 or 26 => $"'{path}' is damaged or no event store: {problem.Message} Restore it from a copy, or name another file.",
            13 => $"The disk of the event store '{path}' is full.",
            14 => $"The event store '{path}' cannot be opened: its folder must exist and be writable.",
            _ => $"The event store '{path}' failed: {problem.Message}",
        },
        problem);
}
