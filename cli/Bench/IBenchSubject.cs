using System.Collections.Immutable;

namespace Parallax.Cli.Bench;

/// <summary>A program that is measured.</summary>
internal interface IBenchSubject : IAsyncDisposable
{
    /// <summary>Its name in tables.</summary>
    string Name { get; }

    /// <summary>Version, instruction set and the like, for people.</summary>
    string Description { get; }

    /// <summary>Seconds from opening the model's file to being able to compute.</summary>
    double LoadSeconds { get; }

    /// <summary>One session: prefill, then decode.</summary>
    Task<SingleRun> RunSingleAsync(ImmutableArray<int> prompt, int decodeTokens, CancellationToken cancellationToken);

    /// <summary>Sessions at once: tokens per second of all together, while all of them decode.</summary>
    Task<double> RunBatchAsync(IReadOnlyList<ImmutableArray<int>> prompts, int decodeTokens, CancellationToken cancellationToken);

    /// <summary>Resident memory now, and the most it was, in bytes.</summary>
    Task<MemoryUse> ReadMemoryAsync(CancellationToken cancellationToken);
}

/// <summary>Speeds of a single session, in tokens per second.</summary>
internal readonly record struct SingleRun(double PrefillPerSecond, double DecodePerSecond);

/// <summary>Resident memory in bytes.</summary>
internal readonly record struct MemoryUse(long Resident, long Peak);
