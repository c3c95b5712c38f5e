using System.Collections.Immutable;
using Parallax.Audit.Chain;
using Parallax.EventStore;

namespace Parallax.Audit.Outbox;

/// <summary>Puts events straight into an event store, without a broker between.</summary>
public sealed class StoreAuditTransport(IEventStore store) : IAuditTransport
{
    /// <inheritdoc/>
    /// <exception cref="AuditForkException">A stream goes on otherwise in the store.</exception>
    public async Task SendAsync(ImmutableArray<ChainedEvent> events, CancellationToken cancellationToken)
    {
        foreach (var stream in events.GroupBy(static one => one.Stream, StringComparer.Ordinal))
        {
            var added = stream.Select(static one => new NewEvent(one.Id, one.Type, one.Payload)).ToImmutableArray();
            var expected = stream.First().Number - 1;
            if (await store.AppendAsync(stream.Key, expected, added, cancellationToken) is AppendResult.Conflict conflict)
            {
                throw new AuditForkException(stream.Key, expected, conflict.ActualVersion);
            }
        }
    }
}
