namespace Parallax.EventStore;

/// <summary>Expected versions that are no version of an event.</summary>
public static class StreamVersion
{
    /// <summary>The stream has no events.</summary>
    public const long Empty = 0;

    /// <summary>Appends whatever the stream's last event is.</summary>
    public const long Any = -1;
}
