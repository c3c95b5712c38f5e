namespace Parallax.EventStore;

/// <summary>An event to append.</summary>
/// <param name="Id">Unique over all streams: a repeated append is recognised by it.</param>
/// <param name="Type">What happened, for whoever reads the payload: 1 to <see cref="EventStoreLimits.MaxNameBytes"/> bytes in UTF-8, none of them 0.</param>
/// <param name="Payload">At most <see cref="EventStoreLimits.MaxPayloadBytes"/> bytes, JSON by custom; must not change while it is appended.</param>
public sealed record NewEvent(Guid Id, string Type, ReadOnlyMemory<byte> Payload);
