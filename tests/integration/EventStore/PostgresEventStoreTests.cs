using Npgsql;
using Parallax.EventStore;
using Parallax.EventStore.Postgres;
using Parallax.Testing.Servers;
using Parallax.UnitTests.EventStore;

namespace Parallax.IntegrationTests.EventStore;

/// <summary>The conformance suite on a PostgreSQL database, and what several processes on it see.</summary>
public sealed class PostgresEventStoreTests(ServerPool servers) : EventStoreConformance
{
    private PostgresServer _server = null!;
    private string _address = "";

    [Fact]
    public async Task TwoStores_OnOneDatabase_SeeEachOther()
    {
        // It would look for itself only after an hour, so it is told.
        await using var other = PostgresEventStore.Open(
            _address, TimeProvider.System, options: new PostgresEventStoreOptions { PollPeriod = TimeSpan.FromHours(1) });
        await AppendedAsync("a", 0, Event("x"));

        Assert.Equal(new AppendResult.Conflict(1), await other.AppendAsync("a", 0, [Event("y")], Token));
        var seen = new List<string>();
        var caughtUp = new TaskCompletionSource();
        var subscriber = Task.Run(
            async () =>
            {
                await foreach (var stored in other.SubscribeAsync(0, Token))
                {
                    seen.Add(stored.Type);
                    caughtUp.TrySetResult();
                    if (seen.Count == 3)
                    {
                        return;
                    }
                }
            },
            Token);
        await caughtUp.Task.WaitAsync(Token);
        await AppendedAsync("a", 1, Event("y"));
        await AppendedAsync("b", 0, Event("z"));

        await subscriber.WaitAsync(Token);
        Assert.Equal(["x", "y", "z"], seen);
    }

    [Fact]
    public async Task Subscribe_WithoutNotifications_LooksItself()
    {
        await using var other = PostgresEventStore.Open(
            _address, TimeProvider.System, options: new PostgresEventStoreOptions { PollPeriod = TimeSpan.FromMilliseconds(20) });
        var added = Event("x");
        await AppendedAsync("a", 0, Event("first"));
        var subscriber = other.SubscribeAsync(1, Token).FirstAsync(Token);

        // As another program would that notifies nobody.
        await ExecuteAsync(
            $"insert into parallax_events.events (stream, version, id, type, recorded_at_us, payload) values ('a', 2, '{added.Id}', 'x', 0, '')");

        Assert.Equal(added.Id, (await subscriber).Id);
    }

    [Fact]
    public async Task Position_OfATransactionThatIsOpen_HoldsLaterOnesBack()
    {
        await using var other = PostgresEventStore.Open(_address, TimeProvider.System);
        await AppendedAsync("a", 0, Event("1"));

        // A writer that has taken a position and has not committed.
        await using var connection = new NpgsqlConnection(Settings());
        await connection.OpenAsync(Token);
        await using var transaction = await connection.BeginTransactionAsync(Token);
        await using var insert = new NpgsqlCommand(
            $"""
            select pg_advisory_xact_lock({PostgresSchema.LockKey});
            insert into parallax_events.events (stream, version, id, type, recorded_at_us, payload) values ('b', 1, '{Guid.NewGuid()}', '2', 0, '')
            """,
            connection);
        await insert.ExecuteNonQueryAsync(Token);
        var later = other.AppendAsync("c", 0, [Event("3")], Token);
        await WaitingForTheLockAsync();

        Assert.Equal(["1"], (await Store.ReadAllAsync(0, Token).ToListAsync(Token)).Select(static stored => stored.Type));
        await transaction.CommitAsync(Token);
        await later;
        Assert.Equal(["1", "2", "3"], (await Store.ReadAllAsync(0, Token).ToListAsync(Token)).Select(static stored => stored.Type));
    }

    [Fact]
    public async Task Append_WhileAnotherProcessHoldsTheStore_WaitsAndThenSaysSo()
    {
        await using var impatient = PostgresEventStore.Open(
            _address, TimeProvider.System, options: new PostgresEventStoreOptions { LockTimeout = TimeSpan.FromMilliseconds(50) });
        await AppendedAsync("a", 0, Event("x"));
        await using var connection = new NpgsqlConnection(Settings());
        await connection.OpenAsync(Token);
        await using var transaction = await connection.BeginTransactionAsync(Token);
        await using var hold = new NpgsqlCommand($"select pg_advisory_xact_lock({PostgresSchema.LockKey})", connection);
        await hold.ExecuteNonQueryAsync(Token);

        var problem = await Assert.ThrowsAsync<EventStoreException>(() => impatient.AppendAsync("a", 1, [Event("y")], Token));
        Assert.Contains("busy", problem.Message, StringComparison.Ordinal);
        await transaction.RollbackAsync(Token);
        Assert.IsType<AppendResult.Appended>(await impatient.AppendAsync("a", 1, [Event("z")], Token));
    }

    [Fact]
    public async Task ManyStores_OpenedAtOnceOnAnEmptyDatabase_CreateItOnce()
    {
        var empty = await _server.CreateDatabaseAsync(Token);
        var stores = Enumerable.Range(0, 6).Select(_ => PostgresEventStore.Open(empty, TimeProvider.System)).ToList();

        var results = await Task.WhenAll(stores.Select(store => store.AppendAsync("a", StreamVersion.Any, [Event("x")], Token)));

        Assert.Equal([1L, 2, 3, 4, 5, 6], results.Select(static result => Assert.IsType<AppendResult.Appended>(result).Version).Order());
        await Task.WhenAll(stores.Select(static store => store.DisposeAsync().AsTask()));
    }

    [Fact]
    public async Task Tables_OfANewerProgram_AreRefused()
    {
        await AppendedAsync("a", 0, Event("x"));
        await ExecuteAsync("update parallax_events.store set schema_version = 99");
        await using var other = PostgresEventStore.Open(_address, TimeProvider.System);

        var problem = await Assert.ThrowsAsync<EventStoreException>(() => other.AppendAsync("a", 1, [Event("y")], Token));
        Assert.Contains("newer", problem.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Read_ManyLargeEvents_PageByPage()
    {
        var payload = new byte[EventStoreLimits.PageBytes / 2];
        for (var i = 0; i < 5; i++)
        {
            payload[0] = (byte)i;
            await AppendedAsync("a", i, Event("x") with { Payload = payload });
        }

        Assert.Equal([0, 1, 2, 3, 4], (await ReadAsync("a", 1)).Select(static stored => (int)stored.Payload.Span[0]));
        await using var connection = new NpgsqlConnection(Settings());
        await connection.OpenAsync(Token);
        Assert.Equal(2, (await PostgresReads.ReadAllAsync(connection, 0, Token)).Count);
    }

    protected override async Task<IEventStore> CreateAsync(TimeProvider clock)
    {
        var missing = await PostgresServer.MissingReasonAsync(Token);
        Assert.SkipWhen(missing is not null, missing ?? "");
        _server = await servers.PostgresAsync(Token);
        _address = await _server.CreateDatabaseAsync(Token);
        return PostgresEventStore.Open(_address, clock);
    }

    private string Settings() => $"{PostgresAddress.Parse(_address).ConnectionString};Pooling=false";

    private Task ExecuteAsync(string sql) => _server.ExecuteAsync(new Uri(_address).AbsolutePath.TrimStart('/'), sql, Token);

    private async Task WaitingForTheLockAsync()
    {
        await using var connection = new NpgsqlConnection(Settings());
        await connection.OpenAsync(Token);
        await using var count = new NpgsqlCommand(
            "select count(*) from pg_locks where locktype = 'advisory' and not granted and database = (select oid from pg_database where datname = current_database())",
            connection);
        while ((long)(await count.ExecuteScalarAsync(Token))! == 0)
        {
            await Task.Delay(5, Token);
        }
    }
}
