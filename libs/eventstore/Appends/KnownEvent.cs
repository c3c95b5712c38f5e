namespace Parallax.EventStore.Appends;

/// <summary>What a store holds under the id of an event that is to be appended.</summary>
/// <param name="Id">The id.</param>
/// <param name="Stream">Its stream.</param>
/// <param name="Version">Its place there.</param>
/// <param name="Position">Its place in the store; 0 as long as it is only about to be written.</param>
/// <param name="Type">What happened.</param>
/// <param name="Payload">Its contents; null when they are certainly others than those of the event to append.</param>
internal sealed record KnownEvent(Guid Id, string Stream, long Version, long Position, string Type, ReadOnlyMemory<byte>? Payload)
{
    public static KnownEvent Of(StoredEvent stored) =>
        new(stored.Id, stored.Stream, stored.Version, stored.Position, stored.Type, stored.Payload);
}
