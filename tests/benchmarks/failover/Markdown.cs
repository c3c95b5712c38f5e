using System.Globalization;
using Parallax.Cli.Chaos.Report;

namespace Parallax.FailoverBenchmark;

/// <summary>Reports as they stand in the documents.</summary>
internal static class Markdown
{
    /// <summary>p50, p95 and the most, or a dash where nothing was measured.</summary>
    public static string Spread(IReadOnlyCollection<double> values, string format = "0") => values.Count == 0
        ? "-"
        : string.Join(" / ", new[] { 0.5, 0.95, 1 }.Select(share => Percentiles.Of(values, share).ToString(format, CultureInfo.InvariantCulture)));

    /// <summary>The middle one, or a dash.</summary>
    public static string Median(IReadOnlyCollection<double> values, string format) =>
        values.Count == 0 ? "-" : Percentiles.Of(values, 0.5).ToString(format, CultureInfo.InvariantCulture);
}
