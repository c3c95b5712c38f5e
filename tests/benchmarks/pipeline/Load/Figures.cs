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

    /// <summary>What stands above every report.</summary>
    public static void WriteHead(TextWriter output, string what)
    {
        output.WriteLine(what);
        output.WriteLine(Machine.Describe());
        if (Machine.Busyness() is { } warning)
        {
            output.WriteLine($"WARNING: {warning}");
        }
    }

    /// <summary>A table as it stands in the documents.</summary>
    public static void WriteTable(TextWriter output, IReadOnlyList<string> head, IEnumerable<IReadOnlyList<string>> rows)
    {
        output.WriteLine();
        output.WriteLine($"| {string.Join(" | ", head)} |");
        output.WriteLine($"|{string.Concat(Enumerable.Repeat("---|", head.Count))}");
        foreach (var row in rows)
        {
            output.WriteLine($"| {string.Join(" | ", row)} |");
        }

        output.WriteLine();
    }
}
