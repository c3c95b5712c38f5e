namespace Parallax.Audit.Verify;

/// <summary>Why a stream must have a certain event.</summary>
internal enum PointReason
{
    /// <summary>A signed checkpoint lists it so.</summary>
    Checkpoint,

    /// <summary>A resuming router saw it so.</summary>
    Link,

    /// <summary>The writer's next term says that it ended so.</summary>
    NextTerm,

    /// <summary>An earlier verification saw it so.</summary>
    Remembered,
}

/// <summary>A stream must be at least this long, and have this hash there.</summary>
/// <param name="Stream">The stream.</param>
/// <param name="Length">The event's number.</param>
/// <param name="Head">Its hash.</param>
/// <param name="Reason">Why.</param>
/// <param name="From">The stream that says so; for people.</param>
/// <param name="FromNumber">The event that says so.</param>
internal sealed record PointCheck(string Stream, long Length, Hash256 Head, PointReason Reason, string From, long FromNumber);
