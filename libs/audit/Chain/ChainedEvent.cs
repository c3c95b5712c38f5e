namespace Parallax.Audit.Chain;

/// <summary>An event as it is stored: its payload is what is hashed, to the byte.</summary>
/// <param name="Stream">The stream it belongs to.</param>
/// <param name="Number">Its place there, from 1: the stream's version with it.</param>
/// <param name="Id">Made of its hash, so that a repeated append is recognised.</param>
/// <param name="Type">What happened (<see cref="AuditCodec"/>).</param>
/// <param name="Payload">UTF-8 JSON without line breaks.</param>
/// <param name="Hash">SHA-256 of the payload, lower-case hex.</param>
public sealed record ChainedEvent(string Stream, long Number, Guid Id, string Type, ReadOnlyMemory<byte> Payload, string Hash);
