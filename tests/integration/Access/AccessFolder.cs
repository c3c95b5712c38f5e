using Parallax.EventStore;
using Parallax.EventStore.Sqlite;
using Parallax.Router;
using Parallax.Router.Access.Keys;

namespace Parallax.IntegrationTests.Access;

/// <summary>A folder with an event store that routers share, and a local log for each of them.</summary>
internal sealed class AccessFolder : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("parallax-access-");

    public string Path => _folder.FullName;

    public string StorePath => System.IO.Path.Combine(Path, "audit.db");

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Delete(recursive: true);

    /// <summary>A router's audit; each name has its own log.</summary>
    public RouterAudit Audit(string name = "a") => new() { Folder = System.IO.Path.Combine(Path, "log", name), Store = StorePath };

    /// <summary>Creates a key as the command line does, from another connection to the store.</summary>
    public async Task<(ApiKey Key, string Secret)> CreateKeyAsync(string name, Func<KeySettings, KeySettings>? change = null)
    {
        await using var store = SqliteEventStore.Open(StorePath, TimeProvider.System);
        var settings = new KeySettings { Name = name };
        return await new KeyStore(store, TimeProvider.System).CreateAsync(change?.Invoke(settings) ?? settings, "test", Token);
    }

    public async Task ExecuteAsync(KeyCommand command)
    {
        await using var store = SqliteEventStore.Open(StorePath, TimeProvider.System);
        await new KeyStore(store, TimeProvider.System).ExecuteAsync(command, Token);
    }

    public async Task<List<StoredEvent>> EventsAsync()
    {
        await using var store = SqliteEventStore.Open(StorePath, TimeProvider.System);
        return await store.ReadAllAsync(0, Token).ToListAsync(Token);
    }
}
