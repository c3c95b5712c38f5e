using System.Globalization;
using Parallax.Cli.Bench;

namespace Parallax.PipelineBenchmark.Load;

/// <summary>Figures in tables: the median, with the least and the most.</summary>
internal static class Figures
{
    public static string Text(Series series, string format) => string.Create(
        CultureInfo.InvariantCulture, $"{series.Median.ToString(format, CultureInfo.InvariantCulture)} ({series.Least.ToString(format, CultureInfo.InvariantCulture)} to {series.Most.ToString(format, CultureInfo.InvariantCulture)})");

    public static string Ratio(Series series, Series? baseline) =>
        baseline is null ? "" : (series.Median / baseline.Median).ToString("0.00", CultureInfo.InvariantCulture);
}
