using Parallax.Runtime;

namespace Parallax.Audit.Outbox;

/// <summary>A stream in the event store is not where its writer's log says: another log of the same writer wrote it, or events were removed.</summary>
public sealed class AuditForkException(string stream, long expected, long actual) : ParallaxException(
    $"The stream '{stream}' has {actual} events in the event store where its writer's log has {expected}: the store or the log was changed, or put back from a copy.");
