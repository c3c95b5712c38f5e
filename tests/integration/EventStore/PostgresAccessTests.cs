using System.Text;
using Parallax.EventStore;
using Parallax.Testing.Servers;

namespace Parallax.IntegrationTests.EventStore;

/// <summary>Who may do what: the grants that docs/eventstore.md gives to a writer and to a reader, and users who lack them.</summary>
public sealed class PostgresAccessTests(ServerPool servers) : IAsyncLifetime
{
    private readonly string _name = $"u{Guid.NewGuid():N}";
    private readonly string _folder = Directory.CreateTempSubdirectory("parallax-access-").FullName;
    private PostgresServer _server = null!;
    private string _owner = "";

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private string Database => new Uri(_owner).AbsolutePath.TrimStart('/');

    public async ValueTask InitializeAsync()
    {
        var missing = await PostgresServer.MissingReasonAsync(Token);
        Assert.SkipWhen(missing is not null, missing ?? "");
        _server = await servers.PostgresAsync(Token);
        _owner = await _server.CreateDatabaseAsync(Token);
    }

    public ValueTask DisposeAsync()
    {
        Directory.Delete(_folder, recursive: true);
        return ValueTask.CompletedTask;
    }

    [Fact]
    public async Task Writer_AppendsAndForgets_ButChangesNothing()
    {
        await CreateTablesAsync();
        await GrantAsync("writer");
        await using var store = EventStores.Open(As("writer"), TimeProvider.System);

        Assert.IsType<AppendResult.Appended>(await store.AppendAsync("a", 1, [Event(), Event()], Token));
        Assert.Equal(1, await store.TrimAsync("a", 2, Token));
        Assert.Equal(2, await store.DeleteAsync("a", Token));
        Assert.IsType<AppendResult.Appended>(await store.AppendAsync("a", 0, [Event()], Token));
        Assert.Single(await store.SubscribeAsync(0, Token).Take(1).ToListAsync(Token));
        await DeniedAsync("writer", "update parallax_events.events set payload = ''");
        await DeniedAsync("writer", "drop table parallax_events.events");
    }

    [Fact]
    public async Task Reader_ReadsAndListens_ButWritesNothing()
    {
        await CreateTablesAsync();
        await GrantAsync("reader");
        await using var writer = EventStores.Open(_owner, TimeProvider.System);
        await using var store = EventStores.Open(As("reader"), TimeProvider.System);

        Assert.Single(await store.ReadAsync("a", 1, Token).ToListAsync(Token));
        var second = store.SubscribeAsync(0, Token).Skip(1).FirstAsync(Token);
        await writer.AppendAsync("a", 1, [Event()], Token);
        Assert.Equal(2, (await second).Version);
        var problem = await Assert.ThrowsAsync<EventStoreException>(() => store.AppendAsync("a", 2, [Event()], Token));
        Assert.Contains("grant", problem.Message, StringComparison.Ordinal);
        await Assert.ThrowsAsync<EventStoreException>(() => store.DeleteAsync("a", Token));
        await DeniedAsync("reader", "delete from parallax_events.events");
    }

    [Fact]
    public async Task Reader_BeforeThereIsAStore_IsToldAndReadsWhenThereIs()
    {
        await _server.ExecuteAsync(Database, $"create role {_name} login password 'pw'", Token);
        await using var store = EventStores.Open(_server.AddressOf(Database, _name, "pw"), TimeProvider.System);

        var problem = await Assert.ThrowsAsync<EventStoreException>(() => store.ReadAllAsync(0, Token).ToListAsync(Token).AsTask());
        Assert.Contains("no tables yet", problem.Message, StringComparison.Ordinal);
        await CreateTablesAsync();
        problem = await Assert.ThrowsAsync<EventStoreException>(() => store.ReadAllAsync(0, Token).ToListAsync(Token).AsTask());
        Assert.Contains("grant", problem.Message, StringComparison.Ordinal);
        await GrantAsync("reader", isThere: true);
        Assert.Single(await store.ReadAllAsync(0, Token).ToListAsync(Token));
    }

    [Fact]
    public async Task PasswordFile_IsReadForEachConnection()
    {
        await CreateTablesAsync();
        await GrantAsync("reader");
        var file = Path.Combine(_folder, "password");
        await File.WriteAllTextAsync(file, "wrong-s3cret\n", Token);
        var address = _server.AddressOf(Database, _name, "x").Replace(":x@", "@", StringComparison.Ordinal);
        await using var store = EventStores.Open($"{address}?passwordfile={Uri.EscapeDataString(file)}", TimeProvider.System);

        var problem = await Assert.ThrowsAsync<EventStoreException>(() => store.ReadAllAsync(0, Token).ToListAsync(Token).AsTask());
        Assert.Contains("password", problem.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("s3cret", problem.ToString(), StringComparison.Ordinal);
        await File.WriteAllTextAsync(file, "pw\n", Token);
        Assert.Single(await store.ReadAllAsync(0, Token).ToListAsync(Token));

        File.Delete(file);
        await using var other = EventStores.Open($"{address}?passwordfile={Uri.EscapeDataString(file)}", TimeProvider.System);
        problem = await Assert.ThrowsAsync<EventStoreException>(() => other.ReadAllAsync(0, Token).ToListAsync(Token).AsTask());
        Assert.Contains(file, problem.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task NoServerOrNoDatabase_SaysWhich()
    {
        await using var nowhere = EventStores.Open("postgres://u:s3cret@127.0.0.1:1/events", TimeProvider.System);
        var problem = await Assert.ThrowsAsync<EventStoreException>(() => nowhere.AppendAsync("a", 0, [Event()], Token));
        Assert.Contains("postgres://u@127.0.0.1:1/events cannot be reached", problem.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("s3cret", problem.ToString(), StringComparison.Ordinal);

        await using var missing = EventStores.Open(_server.AddressOf("missing"), TimeProvider.System);
        problem = await Assert.ThrowsAsync<EventStoreException>(() => missing.AppendAsync("a", 0, [Event()], Token));
        Assert.Contains("Create the database", problem.Message, StringComparison.Ordinal);
    }

    private static NewEvent Event() => new(Guid.NewGuid(), "x", Encoding.UTF8.GetBytes("{}"));

    private string As(string role) => role is "writer" or "reader" ? _server.AddressOf(Database, _name, "pw") : _owner;

    private async Task CreateTablesAsync()
    {
        await using var owner = EventStores.Open(_owner, TimeProvider.System);
        await owner.AppendAsync("a", 0, [Event()], Token);
    }

    // Runs the document's own lines, so that it cannot say what is not so.
    private async Task GrantAsync(string role, bool isThere = false)
    {
        var text = await File.ReadAllTextAsync(Path.Combine(Testing.TestData.RepositoryRoot, "docs", "eventstore.md"), Token);
        var lines = text.Split('\n').Where(line => line.TrimStart().StartsWith("grant ", StringComparison.Ordinal) && line.Contains($"to parallax_{role};", StringComparison.Ordinal)).ToList();
        Assert.NotEmpty(lines);
        var create = isThere ? "" : $"create role {_name} login password 'pw';";
        await _server.ExecuteAsync(Database, create + string.Join('\n', lines).Replace($"parallax_{role}", _name, StringComparison.Ordinal), Token);
    }

    private async Task DeniedAsync(string role, string sql)
    {
        await using var connection = new Npgsql.NpgsqlConnection($"{Parallax.EventStore.Postgres.PostgresAddress.Parse(As(role)).ConnectionString};Pooling=false");
        await connection.OpenAsync(Token);
        await using var command = new Npgsql.NpgsqlCommand(sql, connection);
        var refused = await Assert.ThrowsAsync<Npgsql.PostgresException>(() => command.ExecuteNonQueryAsync(Token));
        Assert.Equal(Npgsql.PostgresErrorCodes.InsufficientPrivilege, refused.SqlState);
    }
}
