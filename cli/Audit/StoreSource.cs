using System.Collections.Immutable;
using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using System.Text;
using Parallax.Audit.Chain;
using Parallax.Audit.Events;
using Parallax.Audit.Http;
using Parallax.Audit.Index;
using Parallax.Audit.Verify;
using Parallax.EventStore;
using Parallax.Router;

namespace Parallax.Cli.Audit;

/// <summary>An event store at hand, and its index, which is brought up to date first.</summary>
internal sealed class StoreSource : IAuditSource
{
    private readonly string? _indexPath;
    private readonly string _location;
    private AuditIndex? _index;

    private StoreSource(string location, IEventStore store, string? indexPath)
    {
        _location = location;
        Store = store;
        _indexPath = indexPath;
    }

    public IEventStore Store { get; }

    /// <summary>The store of <c>parallax run</c> on this machine.</summary>
    public static string DefaultStore => RouterAudit.DefaultStore;

    /// <param name="location">The store; null for the default one.</param>
    /// <param name="indexPath">The index's file; null for the default one.</param>
    /// <exception cref="AuditCommandException">There is no store.</exception>
    public static StoreSource Open(string? location, string? indexPath)
    {
        location ??= DefaultStore;
        if (!EventStores.IsServer(location) && !File.Exists(location))
        {
            throw new AuditCommandException($"There is no audit in '{location}': name an event store with --store (a file, or postgres://...), or a router with --url.");
        }

        return new StoreSource(location, EventStores.Open(location, TimeProvider.System), indexPath);
    }

    public async Task<RequestPage> ListAsync(RequestFilter filter, string? after, int limit, CancellationToken cancellationToken) =>
        await (await IndexAsync(cancellationToken)).ListAsync(filter, after, limit, cancellationToken);

    public async Task<RequestRow?> FindAsync(string id, CancellationToken cancellationToken) =>
        await (await IndexAsync(cancellationToken)).FindAsync(id, cancellationToken);

    public async IAsyncEnumerable<StoredEvent> EventsAsync(string? request, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var events = request is null
            ? Store.ReadAllAsync(0, cancellationToken)
            : new AuditReader(Store, await IndexAsync(cancellationToken)).ReadRequestAsync(request, cancellationToken);
        await foreach (var stored in events)
        {
            if (stored.Stream.StartsWith(AuditStreams.Prefix, StringComparison.Ordinal))
            {
                yield return stored;
            }
        }
    }

    public async Task<ImmutableArray<UsageRow>> UsageAsync(RequestFilter filter, CancellationToken cancellationToken) =>
        await (await IndexAsync(cancellationToken)).UsageAsync(filter, cancellationToken);

    public async Task<ImmutableArray<FailureRow>> FailuresAsync(DateTimeOffset? since, DateTimeOffset? until, CancellationToken cancellationToken) =>
        await (await IndexAsync(cancellationToken)).FailuresAsync(since, until, cancellationToken);

    public async IAsyncEnumerable<VerifyLine> VerifyAsync(
        VerifyOptions options, Action<ImmutableArray<StreamHead>> heads, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await foreach (var line in VerificationLines.RunAsync(Store, options, TimeProvider.System, heads, cancellationToken))
        {
            yield return line;
        }
    }

    /// <summary>Makes the index anew.</summary>
    public async Task<long> RebuildAsync(CancellationToken cancellationToken) => await OpenIndex().RebuildAsync(Store, cancellationToken);

    /// <summary>The index as the store is now.</summary>
    public async Task<AuditIndex> IndexAsync(CancellationToken cancellationToken)
    {
        var index = OpenIndex();
        await index.CatchUpAsync(Store, cancellationToken);
        return index;
    }

    public async ValueTask DisposeAsync()
    {
        if (_index is not null)
        {
            await _index.DisposeAsync();
        }

        await Store.DisposeAsync();
    }

    private AuditIndex OpenIndex()
    {
        if (_index is null)
        {
            var path = _indexPath ?? DefaultIndex(_location);
            if (Path.GetDirectoryName(Path.GetFullPath(path)) is { } folder && _indexPath is null)
            {
                Directory.CreateDirectory(folder);
            }

            _index = AuditIndex.Open(path);
        }

        return _index;
    }

    private static string DefaultIndex(string location) => EventStores.IsServer(location)
        ? Path.Combine(Path.GetDirectoryName(DefaultStore)!, $"index-{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(location)))[..16]}.db")
        : $"{location}.index";
}
