namespace Parallax.Audit.Chain;

/// <summary>An event's place in the chain and the name of its type, without what happened.</summary>
/// <param name="Stream">The stream.</param>
/// <param name="Number">Its place there, from 1.</param>
/// <param name="At">When it happened, by the writer's clock.</param>
/// <param name="Previous">The hash of the event before.</param>
/// <param name="Type">The name of its type.</param>
/// <param name="Version">The version of the type's data.</param>
public sealed record AuditEnvelope(string Stream, long Number, DateTimeOffset At, string Previous, string Type, int Version);
