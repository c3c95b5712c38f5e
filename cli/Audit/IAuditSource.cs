using System.Collections.Immutable;
using Parallax.Audit.Http;
using Parallax.Audit.Index;
using Parallax.Audit.Verify;
using Parallax.EventStore;

namespace Parallax.Cli.Audit;

/// <summary>Where the audit is read: an event store at hand, or a router that is asked.</summary>
internal interface IAuditSource : IAsyncDisposable
{
    Task<RequestPage> ListAsync(RequestFilter filter, string? after, int limit, CancellationToken cancellationToken);

    Task<RequestRow?> FindAsync(string id, CancellationToken cancellationToken);

    /// <summary>The events of a request; of everything where none is named.</summary>
    IAsyncEnumerable<StoredEvent> EventsAsync(string? request, CancellationToken cancellationToken);

    Task<ImmutableArray<UsageRow>> UsageAsync(RequestFilter filter, CancellationToken cancellationToken);

    Task<ImmutableArray<FailureRow>> FailuresAsync(DateTimeOffset? since, DateTimeOffset? until, CancellationToken cancellationToken);

    /// <summary>Verifies; the last line has the outcome.</summary>
    IAsyncEnumerable<VerifyLine> VerifyAsync(VerifyOptions options, Action<ImmutableArray<Parallax.Audit.Events.StreamHead>> heads, CancellationToken cancellationToken);
}
