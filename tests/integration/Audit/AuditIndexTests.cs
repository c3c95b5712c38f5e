using System.Collections.Immutable;
using Microsoft.Data.Sqlite;
using Parallax.Audit.Index;
using Parallax.EventStore;
using Parallax.EventStore.Memory;
using Parallax.UnitTests.Audit;

namespace Parallax.IntegrationTests.Audit;

/// <summary>The index's file: each event counts once, whatever happens between, and it is made anew when it is of no use.</summary>
public sealed class AuditIndexTests : IDisposable
{
    private static readonly History Written = History.Of(31, 100);
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("parallax-index-");

    private string File => Path.Combine(_folder.FullName, "index.db");

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public async Task CatchUp_InPiecesAndOverAgain_SaysWhatOneReadingSays()
    {
        var expected = await UsageAsync("whole.db", Written.Events);
        await using var store = new InMemoryEventStore(TimeProvider.System);
        foreach (var piece in Written.Events.Chunk(17))
        {
            await AppendAsync(store, piece);
            await using var index = AuditIndex.Open(File); // as after a restart
            Assert.Equal(piece.Length, await index.CatchUpAsync(store, Token));
            Assert.Equal(0, await index.CatchUpAsync(store, Token));
        }

        await using var reopened = AuditIndex.Open(File);
        Assert.Equal(expected, await reopened.UsageAsync(new RequestFilter(), Token));
    }

    [Fact]
    public async Task TwoAtOnce_OnOneFile_CountEachEventOnce()
    {
        var expected = await UsageAsync("whole.db", Written.Events);
        await using var store = await StoreAsync(Written.Events);
        await using var one = AuditIndex.Open(File);
        await using var other = AuditIndex.Open(File);
        await Task.WhenAll(one.CatchUpAsync(store, Token), other.CatchUpAsync(store, Token));
        Assert.Equal(expected, await one.UsageAsync(new RequestFilter(), Token));
    }

    [Fact]
    public async Task OtherStore_OrOtherVersion_IsMadeAnewByItself()
    {
        await using (var index = AuditIndex.Open(File))
        {
            await using var other = await StoreAsync(History.Of(32, 100).Events);
            await index.CatchUpAsync(other, Token);
        }

        var expected = await UsageAsync("whole.db", Written.Events);
        await using var store = await StoreAsync(Written.Events);
        await using (var index = AuditIndex.Open(File))
        {
            await index.CatchUpAsync(store, Token);
            Assert.Equal(expected, await index.UsageAsync(new RequestFilter(), Token));
        }

        using (var connection = new SqliteConnection($"Data Source={File};Pooling=False"))
        {
            connection.Open();
            using var command = connection.CreateCommand();
            command.CommandText = "pragma user_version = 999; drop table losses";
            command.ExecuteNonQuery();
        }

        await using var anew = AuditIndex.Open(File);
        Assert.Equal(Written.Events.Length, await anew.CatchUpAsync(store, Token));
        Assert.Equal(expected, await anew.UsageAsync(new RequestFilter(), Token));
    }

    [Fact]
    public void OtherProgramsFile_IsLeftAlone()
    {
        using (var connection = new SqliteConnection($"Data Source={File};Pooling=False"))
        {
            connection.Open();
            using var command = connection.CreateCommand();
            command.CommandText = "create table photos (id integer)";
            command.ExecuteNonQuery();
        }

        Assert.Throws<AuditIndexException>(() => AuditIndex.Open(File));
    }

    [Fact]
    public async Task Follow_TakesInWhatIsAppendedLater()
    {
        await using var store = new InMemoryEventStore(TimeProvider.System);
        await using var index = AuditIndex.Open(File);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Token);
        var following = index.FollowAsync(store, stop.Token);
        await AppendAsync(store, Written.Events);
        var expected = await UsageAsync("whole.db", Written.Events);
        while (!(await index.UsageAsync(new RequestFilter(), Token)).SequenceEqual(expected))
        {
            await Task.Delay(TimeSpan.FromMilliseconds(10), Token);
        }

        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => following);
    }

    private async Task<ImmutableArray<UsageRow>> UsageAsync(string file, IEnumerable<StoredEvent> events)
    {
        await using var store = await StoreAsync(events);
        await using var index = AuditIndex.Open(Path.Combine(_folder.FullName, file));
        await index.CatchUpAsync(store, Token);
        var usage = await index.UsageAsync(new RequestFilter(), Token);
        Assert.NotEmpty(usage);
        return usage;
    }

    private static async Task<InMemoryEventStore> StoreAsync(IEnumerable<StoredEvent> events)
    {
        var store = new InMemoryEventStore(TimeProvider.System);
        await AppendAsync(store, events);
        return store;
    }

    private static async Task AppendAsync(InMemoryEventStore store, IEnumerable<StoredEvent> events)
    {
        foreach (var one in events)
        {
            Assert.IsType<AppendResult.Appended>(await store.AppendAsync(one.Stream, one.Version - 1, [new NewEvent(one.Id, one.Type, one.Payload)], Token));
        }
    }
}
