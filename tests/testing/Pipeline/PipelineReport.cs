using System.Collections.Immutable;

namespace Parallax.Testing.Pipeline;

/// <summary>What a simulation measured since its statistics were reset.</summary>
/// <param name="Utilisation">Busy fraction of each stage.</param>
/// <param name="TokensPerSecond">Tokens of all decoding sessions.</param>
/// <param name="P50Ms">Between a session's tokens.</param>
/// <param name="P99Ms">Between a session's tokens.</param>
/// <param name="LongestGapMs">The longest time between two tokens of a session.</param>
/// <param name="MicroBatches">The M that most groups were launched with.</param>
internal sealed record PipelineReport(
    ImmutableArray<double> Utilisation, double TokensPerSecond, double P50Ms, double P99Ms, double LongestGapMs, int MicroBatches);
