using System.Runtime.CompilerServices;
using Parallax.EventStore;

namespace Parallax.Audit.Index;

/// <summary>The events of one request, found by the index. Thread-safe.</summary>
/// <param name="store">The events; stays the caller's.</param>
/// <param name="index">Knows which streams are the request's; stays the caller's.</param>
public sealed class AuditReader(IEventStore store, AuditIndex index)
{
    /// <summary>The events; stays the caller's.</summary>
    public IEventStore Store => store;

    /// <summary>The index; stays the caller's.</summary>
    public AuditIndex Index => index;

    /// <summary>The events of a request, segment by segment; none where there is no such request.</summary>
    public async IAsyncEnumerable<StoredEvent> ReadRequestAsync(string id, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        foreach (var stream in await index.SegmentsAsync(id, cancellationToken))
        {
            await foreach (var stored in store.ReadAsync(stream, 1, cancellationToken))
            {
                yield return stored;
            }
        }
    }
}
