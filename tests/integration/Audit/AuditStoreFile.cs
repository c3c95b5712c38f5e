using System.Collections.Immutable;
using Microsoft.Data.Sqlite;
using Parallax.EventStore;
using Parallax.EventStore.Sqlite;
using Parallax.IntegrationTests.Cli;

namespace Parallax.IntegrationTests.Audit;

/// <summary>An event store in a folder of its own, that SQL and the command can get at.</summary>
internal sealed class AuditStoreFile : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("parallax-audit-");

    public string Path => System.IO.Path.Combine(_folder.FullName, "audit.db");

    public string Folder => _folder.FullName;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    /// <summary>A store with these events, appended as a consumer would append them.</summary>
    public static async Task<AuditStoreFile> CreateAsync(IEnumerable<StoredEvent> events)
    {
        var file = new AuditStoreFile();
        await using var store = SqliteEventStore.Open(file.Path, TimeProvider.System);
        var batch = ImmutableArray.CreateBuilder<NewEvent>();
        StoredEvent? first = null;
        foreach (var one in events)
        {
            if (first is not null && first.Stream != one.Stream)
            {
                await AppendAsync(store, first, batch);
                first = null;
            }

            first ??= one;
            batch.Add(new NewEvent(one.Id, one.Type, one.Payload));
        }

        await AppendAsync(store, first!, batch);
        return file;
    }

    /// <summary>Runs <c>parallax audit</c> on the store.</summary>
    public async Task<(string Output, int Code, string Errors)> RunAsync(params string[] arguments)
    {
        await using var process = new CliProcess(["audit", .. arguments, "--store", Path]);
        var (output, code) = await process.RunToEndAsync();
        return (output, code, process.Errors);
    }

    /// <summary>Changes rows by hand.</summary>
    public int Execute(string sql, params (string Name, object Value)[] values)
    {
        using var connection = new SqliteConnection($"Data Source={Path};Pooling=False");
        connection.Open();
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        foreach (var (name, value) in values)
        {
            command.Parameters.AddWithValue(name, value);
        }

        return command.ExecuteNonQuery();
    }

    public void Dispose() => _folder.Delete(recursive: true);

    private static async Task AppendAsync(SqliteEventStore store, StoredEvent first, ImmutableArray<NewEvent>.Builder batch)
    {
        Assert.IsType<AppendResult.Appended>(await store.AppendAsync(first.Stream, first.Version - 1, batch.DrainToImmutable(), Token));
    }
}
