using System.Collections.Immutable;
using Parallax.Audit.Events;

namespace Parallax.Audit.Verify;

/// <summary>What a verification came to.</summary>
public sealed record VerificationReport
{
    /// <summary>Findings and notes in full, up to the limits.</summary>
    public required ImmutableArray<Finding> Findings { get; init; }

    /// <summary>All findings.</summary>
    public required long FindingCount { get; init; }

    /// <summary>All notes.</summary>
    public required long NoteCount { get; init; }

    /// <summary>Events that were read.</summary>
    public required long Events { get; init; }

    /// <summary>Segments of requests that are there.</summary>
    public required long Segments { get; init; }

    /// <summary>Events of segments that no checkpoint vouches for yet.</summary>
    public required long Unvouched { get; init; }

    /// <summary>Checkpoints whose signatures are good.</summary>
    public required long Checkpoints { get; init; }

    /// <summary>Streams that were deleted on purpose.</summary>
    public required long Retired { get; init; }

    /// <summary>Ids of the writers.</summary>
    public required ImmutableArray<string> Writers { get; init; }

    /// <summary>Where the newest stream of each writer, and the streams of retirements, stand: to be remembered.</summary>
    public required ImmutableArray<StreamHead> Heads { get; init; }

    /// <summary>Whether nothing was found.</summary>
    public bool IsFine => FindingCount == 0;
}
