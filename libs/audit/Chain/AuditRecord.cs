using Parallax.Audit.Events;

namespace Parallax.Audit.Chain;

/// <summary>An event with its place in the chain.</summary>
/// <param name="Stream">The stream.</param>
/// <param name="Number">Its place there, from 1.</param>
/// <param name="At">When it happened, by the writer's clock, to the microsecond; orders nothing.</param>
/// <param name="Previous">The hash of the event before; <see cref="AuditChain.Origin"/> for the first.</param>
/// <param name="Event">What happened.</param>
public sealed record AuditRecord(string Stream, long Number, DateTimeOffset At, string Previous, AuditEvent Event);
