using System.Net;
using Parallax.Audit.Chain;
using Parallax.Audit.Events;
using Parallax.EventStore;
using Parallax.EventStore.Sqlite;
using Parallax.Router;
using Parallax.Testing;

namespace Parallax.IntegrationTests.Services;

/// <summary>What a router writes down of its requests, in its local log and in the event store.</summary>
public sealed class RouterAuditTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("parallax-audit-");

    private string StorePath => Path.Combine(_folder.FullName, "audit.db");

    private string LogFolder => Path.Combine(_folder.FullName, "logs");

    private RouterAudit Audit => new() { Folder = LogFolder, Store = StorePath };

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public async Task Request_Streamed_IsInTheLogBeforeTheClientSeesIt_AndThenInTheStore()
    {
        var engine = new ScriptedEngine { Manual = true, Answer = static _ => ['a', 'b', 'c', ByteTokenizer.End] };
        string id;
        await using (var cluster = await TestCluster.StartAsync(engine, o => o with { Audit = Audit }))
        {
            var response = await cluster.PostAsync("\"stream\": true, \"seed\": 5");
            id = response.Headers.GetValues("x-request-id").Single();
            await using var live = new LiveAnswer(response);
            engine.EmitAll(2);
            await live.ReadUntilAsync("ab");
            Assert.Contains(LogLines(), static line => line.StartsWith("T ", StringComparison.Ordinal) && line.EndsWith(" 98", StringComparison.Ordinal));
            engine.Release();
            await live.ReadToEndAsync();
        }

        var events = await EventsAsync(id);
        Assert.Equal(
            ["segment-opened", "request-accepted", "route-chosen", "tokens-emitted", "choice-completed", "request-completed"],
            events.Select(static one => AuditCodec.TypeOf(one.Event)));
        var accepted = events.Select(static one => one.Event).OfType<RequestAccepted>().Single();
        Assert.Equal(5UL, accepted.Sampling.Seed);
        Assert.Equal(accepted.PromptTokens, accepted.Prompt!.Value.Length);
        Assert.Equal([97, 98, 99, ByteTokenizer.End], events.Select(static one => one.Event).OfType<TokensEmitted>().Single().Ids!.Value);
        Assert.Equal(4, Assert.IsType<RequestCompleted>(events[^1].Event).CompletionTokens);
    }

    [Fact]
    public async Task Request_ContentsAsHashes_LeavesNoContentAnywhere()
    {
        const string Secret = "kingfisher";
        var engine = new ScriptedEngine { Answer = static _ => [.. Secret.Select(static c => (int)c), ByteTokenizer.End] };
        string id;
        await using (var cluster = await TestCluster.StartAsync(engine, o => o with { Audit = Audit with { KeepsContents = false } }))
        {
            using var response = await cluster.PostAsync();
            id = response.Headers.GetValues("x-request-id").Single();
            Assert.Contains(Secret, await response.Content.ReadAsStringAsync(Token), StringComparison.Ordinal);
        }

        var events = await EventsAsync(id);
        Assert.Null(events.Select(static one => one.Event).OfType<RequestAccepted>().Single().Prompt);
        var emitted = events.Select(static one => one.Event).OfType<TokensEmitted>().Single();
        Assert.Null(emitted.Ids);
        Assert.NotEqual(ContentHash.Of([.. Secret.Select(static c => (int)c), ByteTokenizer.End], []), emitted.Hash);
        var ids = string.Join(',', Secret.Select(static c => (int)c));
        foreach (var file in _folder.EnumerateFiles("*", SearchOption.AllDirectories))
        {
            var text = System.Text.Encoding.Latin1.GetString(await File.ReadAllBytesAsync(file.FullName, Token));
            Assert.DoesNotContain(Secret, text, StringComparison.Ordinal);
            Assert.DoesNotContain(ids, text, StringComparison.Ordinal);
            Assert.DoesNotContain(ids.Replace(',', ' '), text, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Request_ThatFails_SaysWhy()
    {
        var engine = new ScriptedEngine { Manual = true, Answer = static _ => ['a', 'b'] };
        string id;
        await using (var cluster = await TestCluster.StartAsync(engine, o => o with { Audit = Audit, RequestTime = TimeSpan.FromMilliseconds(200) }))
        {
            using var response = await cluster.PostAsync();
            Assert.False(response.IsSuccessStatusCode);
            id = response.Headers.GetValues("x-request-id").Single();
        }

        var failed = Assert.IsType<RequestFailed>((await EventsAsync(id))[^1].Event);
        Assert.InRange(failed.Status, 400, 599);
        Assert.NotEmpty(failed.Message);
    }

    [Fact]
    public async Task Store_ThatCannotBeReached_HoldsNobodyUp()
    {
        var engine = new ScriptedEngine { Answer = static _ => ['a', ByteTokenizer.End] };
        await using (var store = SqliteEventStore.Open(StorePath, TimeProvider.System))
        {
            await store.AppendAsync("other", StreamVersion.Any, [new NewEvent(Guid.NewGuid(), "x", "{}"u8.ToArray())], Token);
        }

        string id;
        await using (var cluster = await TestCluster.StartAsync(engine, o => o with { Audit = Audit }))
        {
            // Another connection holds the database's write lock: nothing can be stored.
            await using (await LockAsync())
            {
                using var response = await cluster.PostAsync();
                Assert.Equal(HttpStatusCode.OK, response.StatusCode);
                id = response.Headers.GetValues("x-request-id").Single();
            }
        }

        Assert.Equal("request-completed", AuditCodec.TypeOf((await EventsAsync(id))[^1].Event));
    }

    private async Task<Microsoft.Data.Sqlite.SqliteConnection> LockAsync()
    {
        var connection = new Microsoft.Data.Sqlite.SqliteConnection($"Data Source={StorePath};Pooling=False");
        await connection.OpenAsync(Token);
        await using var begin = connection.CreateCommand();
        begin.CommandText = "BEGIN IMMEDIATE";
        await begin.ExecuteNonQueryAsync(Token);
        return connection;
    }

    private async Task<List<AuditRecord>> EventsAsync(string request)
    {
        await using var store = SqliteEventStore.Open(StorePath, TimeProvider.System);
        return await store.ReadAllAsync(0, Token)
            .Where(one => AuditStreams.RequestOf(one.Stream) == request)
            .Select(static one => AuditCodec.Decode(one.Payload))
            .ToListAsync(Token);
    }

    private List<string> LogLines() => [.. Directory.EnumerateFiles(LogFolder, "*.log", SearchOption.AllDirectories).SelectMany(static file =>
    {
        using var reader = new StreamReader(new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite));
        return reader.ReadToEnd().Split('\n', StringSplitOptions.RemoveEmptyEntries);
    })];
}
