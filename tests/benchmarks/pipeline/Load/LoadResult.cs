using System.Diagnostics;

namespace Parallax.PipelineBenchmark.Load;

/// <summary>What several clients at once have seen.</summary>
internal sealed record LoadResult(IReadOnlyList<ClientRun> Runs)
{
    /// <summary>Tokens of all clients a second, from the first token of any to the last of any.</summary>
    public double TokensPerSecond =>
        (Runs.Sum(static run => run.Indices.Last + 1) - 1)
        / Stopwatch.GetElapsedTime(Runs.Min(static run => run.FirstAt), Runs.Max(static run => run.LastAt)).TotalSeconds;

    /// <summary>The middle client's.</summary>
    public double MillisecondsPerToken => Middle(Runs.Select(static run => run.MillisecondsPerToken));

    /// <summary>The middle client's.</summary>
    public double SecondsToFirst => Middle(Runs.Select(static run => run.SecondsToFirst));

    private static double Middle(IEnumerable<double> values)
    {
        double[] sorted = [.. values.Order()];
        return (sorted[sorted.Length / 2] + sorted[(sorted.Length - 1) / 2]) / 2;
    }
}
