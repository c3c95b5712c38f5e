using Npgsql;

namespace Parallax.EventStore.Postgres;

/// <summary>The store's tables, in a schema of their own, with their version.</summary>
internal static class PostgresSchema
{
    public const string Name = "parallax_events";

    /// <summary>
    /// Key of the advisory lock that whoever writes holds until its transaction ends ("PLXE"). Positions come from a sequence, and a
    /// sequence hands them out in the order of asking, not of committing: a reader could see position 8 and go on behind it before 7 is
    /// committed, and would never see 7. With the lock, 8 is not given before 7 is visible.
    /// </summary>
    public const long LockKey = 0x504C5845;

    /// <summary>Version of the tables; raised with each change, and older ones are then changed step by step.</summary>
    private const int Version = 1;

    // C collation: names are compared as bytes, as the other stores do, and the index does not depend on the system's locale.
    private const string Create = $"""
        create schema if not exists {Name};
        create table {Name}.store (
            is_only boolean primary key default true check (is_only),
            schema_version integer not null
        );
        create table {Name}.events (
            position bigint generated always as identity primary key,
            stream text collate "C" not null,
            version bigint not null,
            id uuid not null unique,
            type text not null,
            recorded_at_us bigint not null,
            payload bytea not null,
            unique (stream, version)
        );
        insert into {Name}.store (schema_version) values (1);
        """;

    /// <summary>Creates the tables where there are none and the user may; refuses tables of a newer program.</summary>
    /// <exception cref="EventStoreException">They are missing, newer, or not for this user.</exception>
    public static async Task PrepareAsync(NpgsqlConnection connection, string store, CancellationToken cancellationToken)
    {
        var version = await FindVersionAsync(connection, cancellationToken) ?? await CreateAsync(connection, store, cancellationToken);
        if (version > Version)
        {
            throw new EventStoreException(
                $"The event store {store} was written by a newer Parallax (version {version} of its tables; this program knows {Version}); update this program.");
        }
    }

    private static async Task<int?> FindVersionAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        // By the catalogue, which everybody may read: a table that is missing fails a transaction.
        await using var find = connection.CreateCommand();
        find.CommandText = $"""
            select count(*) from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
            where n.nspname = '{Name}' and c.relname = 'store'
            """;
        if ((long)(await find.ExecuteScalarAsync(cancellationToken))! == 0)
        {
            return null;
        }

        find.CommandText = $"select schema_version from {Name}.store";
        return (int?)await find.ExecuteScalarAsync(cancellationToken);
    }

    private static async Task<int> CreateAsync(NpgsqlConnection connection, string store, CancellationToken cancellationToken)
    {
        await using var transaction = await connection.BeginTransactionAsync(System.Data.IsolationLevel.ReadCommitted, cancellationToken);
        await using var command = connection.CreateCommand();
        command.CommandText = $"""
            select has_database_privilege(current_database(), 'create')
                or coalesce((select has_schema_privilege(oid, 'create') from pg_catalog.pg_namespace where nspname = '{Name}'), false)
            """;
        if (!(bool)(await command.ExecuteScalarAsync(cancellationToken))!)
        {
            throw new EventStoreException(
                $"The event store {store} has no tables yet, and this user may not create them. Start a service whose user may first, or grant it (docs/eventstore.md).");
        }

        // Services that start together create them once.
        command.CommandText = $"select pg_advisory_xact_lock({LockKey})";
        await command.ExecuteNonQueryAsync(cancellationToken);
        if (await FindVersionAsync(connection, cancellationToken) is { } version)
        {
            return version;
        }

        // `create schema if not exists` asks for the right to create one even where it is there.
        command.CommandText = $"select count(*) from pg_catalog.pg_namespace where nspname = '{Name}'";
        var isThere = (long)(await command.ExecuteScalarAsync(cancellationToken))! > 0;
        command.CommandText = isThere ? Create[(Create.IndexOf(';', StringComparison.Ordinal) + 1)..] : Create;
        await command.ExecuteNonQueryAsync(cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        return Version;
    }
}
