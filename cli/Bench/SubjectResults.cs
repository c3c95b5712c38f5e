namespace Parallax.Cli.Bench;

/// <summary>All that was measured of one subject.</summary>
internal sealed class SubjectResults
{
    public required string Name { get; init; }

    public required string Description { get; init; }

    public required double LoadSeconds { get; init; }

    /// <summary>Tokens per second.</summary>
    public Series Prefill { get; } = new();

    /// <summary>Tokens per second.</summary>
    public Series Decode { get; } = new();

    /// <summary>Tokens per second of all sessions together, by their number.</summary>
    public SortedDictionary<int, Series> Batches { get; } = [];

    /// <summary>After all measurements.</summary>
    public MemoryUse Memory { get; set; }
}
