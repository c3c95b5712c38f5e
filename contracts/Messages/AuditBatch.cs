namespace Parallax.Contracts.Messages;

/// <summary>Events of request streams on their way from a router to the event store, in the router's order.</summary>
/// <param name="Events">At least one; those of one stream follow each other without gaps, other streams' may stand between.</param>
public sealed record AuditBatch(IReadOnlyList<AuditBatchEvent> Events);

/// <summary>One event.</summary>
/// <param name="Stream">Its stream.</param>
/// <param name="Number">Its place there, from 1.</param>
/// <param name="Id">The first 16 bytes of the payload's SHA-256.</param>
/// <param name="Type">What happened.</param>
/// <param name="Payload">As it is stored and hashed, to the byte.</param>
public sealed record AuditBatchEvent(string Stream, long Number, Guid Id, string Type, ReadOnlyMemory<byte> Payload);

/// <summary>The answer to a batch when somebody waits for it: all of it is in the event store.</summary>
/// <param name="Events">How many.</param>
public sealed record AuditBatchStored(int Events);
