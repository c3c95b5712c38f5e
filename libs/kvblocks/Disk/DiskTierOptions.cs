namespace Parallax.KvBlocks.Disk;

/// <summary>How a disk tier keeps parts.</summary>
public sealed record DiskTierOptions
{
    /// <summary>The smallest budget: a few segments of the smallest size, and one of the largest parts.</summary>
    public const long LeastBytes = 32 << 20;

    private const long LeastSegmentBytes = 1 << 20;
    private const long MostSegmentBytes = 64 << 20;
    private const int SegmentsAtLeast = 16;

    /// <summary>Bytes of all segment files at most; <see cref="LeastBytes"/> at least.</summary>
    public required long Bytes { get; init; }

    /// <summary>How long what waits may be written at the end.</summary>
    public TimeSpan DrainTime { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>The pause after a write that failed; doubled up to <see cref="LongestPause"/> while they fail.</summary>
    public TimeSpan FirstPause { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>The longest pause.</summary>
    public TimeSpan LongestPause { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>A segment is closed when it has this many bytes: from 1 to 64 MiB, a sixteenth of the budget.</summary>
    internal long SegmentBytes => Math.Clamp(Bytes / SegmentsAtLeast, LeastSegmentBytes, MostSegmentBytes);
}
