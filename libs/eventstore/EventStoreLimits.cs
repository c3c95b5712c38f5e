namespace Parallax.EventStore;

/// <summary>Limits that every store keeps.</summary>
public static class EventStoreLimits
{
    /// <summary>Bytes of a stream's or type's name in UTF-8.</summary>
    public const int MaxNameBytes = 256;

    /// <summary>Bytes of one event's payload: room for a plan of 10,000 workers.</summary>
    public const int MaxPayloadBytes = 8 * 1024 * 1024;

    /// <summary>Events of one append.</summary>
    public const int MaxEventsPerAppend = 1024;

    /// <summary>Payload bytes of one append, all events together.</summary>
    public const int MaxAppendBytes = 2 * MaxPayloadBytes;

    /// <summary>Events that a read holds in memory at once.</summary>
    internal const int PageEvents = 256;

    /// <summary>Payload bytes after which a page of a read ends; the event that exceeds them is its last.</summary>
    internal const int PageBytes = 4 * 1024 * 1024;
}
