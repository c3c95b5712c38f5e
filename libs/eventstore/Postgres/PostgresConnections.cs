using Npgsql;

namespace Parallax.EventStore.Postgres;

/// <summary>
/// Connections to the store's database, whose tables are there when one is handed out. Errors of the database come out as
/// <see cref="EventStoreException"/>.
/// </summary>
internal sealed class PostgresConnections : IAsyncDisposable
{
    private readonly PostgresAddress _address;
    private readonly NpgsqlDataSource _source;
    private readonly SemaphoreSlim _preparing = new(1);
    private volatile bool _isPrepared;

    public PostgresConnections(PostgresAddress address)
    {
        _address = address;
        Description = address.Description;
        var builder = new NpgsqlDataSourceBuilder(address.ConnectionString);
        if (address.PasswordFile is not null)
        {
            builder.UsePasswordProvider(_ => ReadPassword(), (_, _) => new ValueTask<string>(ReadPassword()));
        }

        _source = builder.Build();
    }

    /// <summary>The database, for messages.</summary>
    public string Description { get; }

    /// <summary>
    /// Does something on a connection. When the connection turns out to be gone (after a restart of the server all that were kept are),
    /// it is done once more on a new one; so it must be of a kind that can be repeated.
    /// </summary>
    public async Task<T> UseAsync<T>(Func<NpgsqlConnection, CancellationToken, Task<T>> work, CancellationToken cancellationToken)
    {
        try
        {
            try
            {
                return await UseOnceAsync(work, cancellationToken);
            }
            catch (Exception lost) when (PostgresErrors.IsConnectionLost(lost))
            {
                _source.Clear();
                return await UseOnceAsync(work, cancellationToken);
            }
        }
        catch (Exception problem) when (PostgresErrors.IsOfDatabase(problem))
        {
            // Somebody may have put an empty database in place of the one that was prepared.
            _isPrepared &= !PostgresErrors.IsSchemaMissing(problem);
            throw PostgresErrors.Translate(problem, Description);
        }
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => _source.DisposeAsync();

    private async Task<T> UseOnceAsync<T>(Func<NpgsqlConnection, CancellationToken, Task<T>> work, CancellationToken cancellationToken)
    {
        await using var connection = await _source.OpenConnectionAsync(cancellationToken);
        if (!_isPrepared)
        {
            await _preparing.WaitAsync(cancellationToken);
            try
            {
                if (!_isPrepared)
                {
                    await PostgresSchema.PrepareAsync(connection, Description, cancellationToken);
                    _isPrepared = true;
                }
            }
            finally
            {
                _preparing.Release();
            }
        }

        return await work(connection, cancellationToken);
    }

    private string ReadPassword()
    {
        try
        {
            var password = File.ReadAllText(_address.PasswordFile!).TrimEnd('\r', '\n');
            return password.Length > 0 ? password : throw new EventStoreException($"The file of the event store's password, '{_address.PasswordFile}', is empty.");
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
        {
            throw new EventStoreException($"The file of the event store's password cannot be read: {problem.Message}", problem);
        }
    }
}
