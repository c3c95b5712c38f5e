using System.Globalization;
using Npgsql;

namespace Parallax.Testing.Servers;

/// <summary>A real PostgreSQL. Its settings are the standard ones, so commits are flushed to the disk.</summary>
public abstract class PostgresServer : TestServer
{
    private protected const string Superuser = "postgres";

    private int _databases;

    private protected PostgresServer()
    {
    }

    /// <summary>The superuser.</summary>
    public string User => Superuser;

    /// <summary>Its password; users come in by password only.</summary>
    public string Password { get; } = $"secret-{Guid.NewGuid():N}";

    /// <summary>Why tests that need the server are skipped; null when there is one.</summary>
    public static Task<string?> MissingReasonAsync(CancellationToken cancellationToken) =>
        MissingReasonAsync(LocalPostgresServer.MissingReason, PostgresContainer.Image, cancellationToken);

    /// <summary>Starts a server of one's own; returns when it answers.</summary>
    public static Task<PostgresServer> StartNewAsync(CancellationToken cancellationToken) =>
        StartNewAsync<PostgresServer>(PostgresContainer.Image, static () => new PostgresContainer(), static () => new LocalPostgresServer(), cancellationToken);

    /// <summary>Creates an empty database of its own name, so that tests keep apart.</summary>
    /// <returns>Its address for the superuser, as <c>EventStores.Open</c> takes it.</returns>
    public async Task<string> CreateDatabaseAsync(CancellationToken cancellationToken)
    {
        var name = $"test{Interlocked.Increment(ref _databases)}";
        await ExecuteAsync(Superuser, $"create database {name}", cancellationToken);
        return AddressOf(name);
    }

    /// <summary>The address of a database for a user; null for the superuser.</summary>
    public string AddressOf(string database, string? user = null, string? password = null) => string.Create(
        CultureInfo.InvariantCulture, $"postgres://{user ?? Superuser}:{password ?? Password}@{Host}:{Port}/{database}");

    /// <summary>Runs SQL as the superuser.</summary>
    public async Task ExecuteAsync(string database, string sql, CancellationToken cancellationToken)
    {
        await using var connection = await ConnectAsync(database, cancellationToken);
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    private protected override async Task<bool> AnswersAsync(CancellationToken cancellationToken)
    {
        try
        {
            await using var connection = await ConnectAsync(Superuser, cancellationToken);
            return true;
        }
        catch (NpgsqlException)
        {
            return false; // not yet
        }
    }

    private async Task<NpgsqlConnection> ConnectAsync(string database, CancellationToken cancellationToken)
    {
        var connection = new NpgsqlConnection(new NpgsqlConnectionStringBuilder
        {
            Host = Host,
            Port = Port,
            Username = Superuser,
            Password = Password,
            Database = database,
            Pooling = false,
        }.ConnectionString);
        try
        {
            await connection.OpenAsync(cancellationToken);
            return connection;
        }
        catch
        {
            await connection.DisposeAsync();
            throw;
        }
    }
}
