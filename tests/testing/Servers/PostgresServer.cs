using System.Globalization;
using Npgsql;

namespace Parallax.Testing.Servers;

/// <summary>
/// A real PostgreSQL of one test or of many: a container where a Docker engine answers and has the image, else a process on loopback.
/// It is empty when it starts, and goes with everything in it when it is disposed of or the tests die. Its settings are the standard ones, so
/// commits are flushed to the disk.
/// </summary>
public abstract class PostgresServer : IAsyncDisposable
{
    private protected const string Superuser = "postgres";
    private protected static readonly TimeSpan StartTime = TimeSpan.FromMinutes(3);

    private int _databases;

    private protected PostgresServer()
    {
    }

    /// <summary>Where it listens.</summary>
    public virtual string Host => "127.0.0.1";

    /// <summary>Its port, the same after a restart.</summary>
    public int Port { get; private protected set; }

    /// <summary>The superuser.</summary>
    public string User => Superuser;

    /// <summary>Its password; users come in by password only.</summary>
    public string Password { get; } = $"secret-{Guid.NewGuid():N}";

    /// <summary>Why tests that need the server are skipped; null when there is one.</summary>
    public static async Task<string?> MissingReasonAsync(CancellationToken cancellationToken) =>
        LocalPostgresServer.MissingReason is { } reason && !await DockerEngine.HasAsync(PostgresContainer.Image, cancellationToken) ? reason : null;

    /// <summary>Starts a server of one's own; returns when it answers.</summary>
    public static async Task<PostgresServer> StartNewAsync(CancellationToken cancellationToken)
    {
        PostgresServer server = await DockerEngine.HasAsync(PostgresContainer.Image, cancellationToken) ? new PostgresContainer() : new LocalPostgresServer();
        try
        {
            await server.StartAsync(cancellationToken);
            return server;
        }
        catch
        {
            await server.DisposeAsync();
            throw;
        }
    }

    /// <summary>Kills it with SIGKILL, as a machine that loses power would; returns when it is gone.</summary>
    public abstract Task KillAsync(CancellationToken cancellationToken);

    /// <summary>Starts it again on the same port and data after <see cref="KillAsync"/>; returns when it answers.</summary>
    public abstract Task StartAsync(CancellationToken cancellationToken);

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

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        GC.SuppressFinalize(this);
    }

    private protected abstract ValueTask StopAsync();

    private protected async Task<bool> AnswersAsync(CancellationToken cancellationToken)
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
