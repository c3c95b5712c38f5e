namespace Parallax.EventStore;

/// <summary>How an append ended.</summary>
public abstract record AppendResult
{
    private AppendResult()
    {
    }

    /// <summary>The events are in the stream.</summary>
    /// <param name="Version">Of the last one.</param>
    /// <param name="Position">Of the last one.</param>
    /// <param name="IsRepeat">Whether they had been there before.</param>
    public sealed record Appended(long Version, long Position, bool IsRepeat) : AppendResult;

    /// <summary>The stream was not where it was expected; nothing was appended.</summary>
    /// <param name="ActualVersion">Version of its last event; 0: it is empty.</param>
    public sealed record Conflict(long ActualVersion) : AppendResult;
}
