namespace Parallax.EventStore;

/// <summary>An event as it was stored.</summary>
/// <param name="Stream">The stream it belongs to.</param>
/// <param name="Version">Its place in the stream, from 1.</param>
/// <param name="Position">Its place in the store: rises, with gaps.</param>
/// <param name="Id">Its id.</param>
/// <param name="Type">What happened.</param>
/// <param name="RecordedAt">When it was appended, by the appending process's clock, to the microsecond; orders nothing.</param>
/// <param name="Payload">Its contents.</param>
public sealed record StoredEvent(
    string Stream, long Version, long Position, Guid Id, string Type, DateTimeOffset RecordedAt, ReadOnlyMemory<byte> Payload);
