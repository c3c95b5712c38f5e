namespace Parallax.EventStore;

/// <summary>An event's id belongs to another event: to another stream, to other contents, or only to some of the events of an append.</summary>
public sealed class EventIdTakenException(Guid id, string stream)
    : InvalidOperationException($"Event {id}, to be appended to '{stream}', has the id of another event.")
{
    /// <summary>The id.</summary>
    public Guid Id { get; } = id;
}
