using System.Collections.Immutable;
using Parallax.Audit.Chain;

namespace Parallax.Audit.Outbox;

/// <summary>The way from a writer's local log to the event store.</summary>
public interface IAuditTransport
{
    /// <summary>
    /// Hands events on. When it returns they are safe elsewhere (stored, or confirmed by a durable broker) and the log may forget
    /// them; when it throws they are not, and come again: whoever takes them knows repeated ones by their ids.
    /// </summary>
    /// <param name="events">In the log's order; several streams may be among them.</param>
    /// <param name="cancellationToken">Gives up.</param>
    Task SendAsync(ImmutableArray<ChainedEvent> events, CancellationToken cancellationToken);
}
