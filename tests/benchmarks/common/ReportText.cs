using Parallax.Cli.Bench;

namespace Parallax.Benchmarks.Common;

/// <summary>What reports of benchmarks have in common; compiled into each of their programs.</summary>
internal static class ReportText
{
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
