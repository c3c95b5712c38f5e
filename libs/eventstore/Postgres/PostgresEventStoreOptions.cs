namespace Parallax.EventStore.Postgres;

/// <summary>How a PostgreSQL event store is used. Connections' own settings are in the connection string.</summary>
public sealed record PostgresEventStoreOptions
{
    /// <summary>How long an append waits for other processes' before it fails.</summary>
    public TimeSpan LockTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>
    /// How often subscribers look when no notification comes: those of other processes come at once, but may get lost with a connection
    /// or on their way through a pooler.
    /// </summary>
    public TimeSpan PollPeriod { get; init; } = TimeSpan.FromSeconds(1);
}
