namespace Parallax.EventStore.Sqlite;

/// <summary>How a SQLite event store is used.</summary>
public sealed record SqliteEventStoreOptions
{
    /// <summary>How long a call waits for other writers before it fails.</summary>
    public TimeSpan BusyTimeout { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>How often subscribers look for what other processes have appended; what this process appends they see at once.</summary>
    public TimeSpan PollPeriod { get; init; } = TimeSpan.FromMilliseconds(100);
}
