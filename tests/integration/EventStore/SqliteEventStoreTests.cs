using Microsoft.Data.Sqlite;
using Parallax.EventStore;
using Parallax.EventStore.Sqlite;
using Parallax.UnitTests.EventStore;

namespace Parallax.IntegrationTests.EventStore;

/// <summary>The conformance suite on a SQLite file, and what only a file can do.</summary>
public sealed class SqliteEventStoreTests : EventStoreConformance
{
    private readonly string _folder = Directory.CreateTempSubdirectory("parallax-events-").FullName;

    private string FilePath => Path.Combine(_folder, "events.db");

    [Fact]
    public async Task TwoStores_OnOneFile_SeeEachOther()
    {
        await using var other = SqliteEventStore.Open(FilePath, TimeProvider.System);
        await AppendedAsync("a", 0, Event("x"));

        Assert.Equal(new AppendResult.Conflict(1), await other.AppendAsync("a", 0, [Event("y")], Token));
        using var end = CancellationTokenSource.CreateLinkedTokenSource(Token);
        var seen = new List<string>();
        var subscriber = Task.Run(
            async () =>
            {
                await foreach (var stored in other.SubscribeAsync(0, end.Token))
                {
                    seen.Add(stored.Type);
                    if (seen.Count == 3)
                    {
                        return;
                    }
                }
            },
            Token);
        await AppendedAsync("a", 1, Event("y"));
        await AppendedAsync("b", 0, Event("z"));

        await subscriber.WaitAsync(Token);
        Assert.Equal(["x", "y", "z"], seen);
    }

    [Fact]
    public async Task TwoStores_AppendingAtOnce_EveryVersionIsWonOnce()
    {
        await using var other = SqliteEventStore.Open(FilePath, TimeProvider.System);
        await Task.WhenAll(new[] { Store, other }.Select(store => Task.Run(
            async () =>
            {
                for (var (version, done) = (0L, 0); done < 40;)
                {
                    if (await store.AppendAsync("a", version, [Event("x")], Token) is AppendResult.Appended appended)
                    {
                        (version, done) = (appended.Version, done + 1);
                    }
                    else
                    {
                        version = (await store.ReadAsync("a", version + 1, Token).ToListAsync(Token))[^1].Version;
                    }
                }
            },
            Token)));

        Assert.Equal(Enumerable.Range(1, 80).Select(static i => (long)i), (await ReadAsync("a", 1)).Select(static stored => stored.Version));
    }

    [Fact]
    public async Task Reopened_HasWhatItHad()
    {
        var added = Event("x");
        var appended = await AppendedAsync("a", 0, added, Event("y"));
        await Store.DisposeAsync();

        await using var again = SqliteEventStore.Open(FilePath, TimeProvider.System);
        Assert.Equal(["x", "y"], (await again.ReadAsync("a", 1, Token).ToListAsync(Token)).Select(static stored => stored.Type));
        var next = Assert.IsType<AppendResult.Appended>(await again.AppendAsync("a", 2, [Event("z")], Token));
        Assert.True(next.Position > appended.Position);
    }

    [Fact]
    public async Task Open_WhatIsNoEventStore_SaysWhatToDo()
    {
        var text = Path.Combine(_folder, "text");
        await File.WriteAllTextAsync(text, new string('x', 10_000), Token);
        Assert.Contains(text, Refused(text), StringComparison.Ordinal);

        var foreign = Path.Combine(_folder, "foreign.db");
        Run(foreign, "create table notes (text)");
        Assert.Contains("another program", Refused(foreign), StringComparison.Ordinal);

        var newer = Path.Combine(_folder, "newer.db");
        await SqliteEventStore.Open(newer, TimeProvider.System).DisposeAsync();
        Run(newer, "pragma user_version = 99");
        Assert.Contains("newer", Refused(newer), StringComparison.Ordinal);

        Assert.Contains("folder", Refused(Path.Combine(_folder, "missing", "events.db")), StringComparison.Ordinal);

        static string Refused(string path) => Assert.Throws<EventStoreException>(() => SqliteEventStore.Open(path, TimeProvider.System)).Message;

        static void Run(string path, string sql)
        {
            using var connection = new SqliteConnection($"Data Source={path};Pooling=false");
            connection.Open();
            using var command = connection.CreateCommand();
            command.CommandText = sql;
            command.ExecuteNonQuery();
        }
    }

    [Fact]
    public async Task Append_WhileAnotherProcessHoldsTheFile_WaitsAndThenSaysSo()
    {
        await using var impatient = SqliteEventStore.Open(
            FilePath, TimeProvider.System, new SqliteEventStoreOptions { BusyTimeout = TimeSpan.FromMilliseconds(50) });
        using var holder = new SqliteConnection($"Data Source={FilePath};Pooling=false");
        holder.Open();
        var transaction = holder.BeginTransaction(deferred: false);

        var problem = await Assert.ThrowsAsync<EventStoreException>(() => impatient.AppendAsync("a", 0, [Event("x")], Token));
        Assert.Contains("busy", problem.Message, StringComparison.Ordinal);
        var patient = Store.AppendAsync("a", 0, [Event("y")], Token);
        transaction.Dispose();

        Assert.IsType<AppendResult.Appended>(await patient);
        Assert.Equal(["y"], (await ReadAsync("a", 1)).Select(static stored => stored.Type));
    }

    protected override Task<IEventStore> CreateAsync(TimeProvider clock) => Task.FromResult<IEventStore>(SqliteEventStore.Open(FilePath, clock));

    protected override Task CleanUpAsync()
    {
        Directory.Delete(_folder, recursive: true);
        return Task.CompletedTask;
    }
}
