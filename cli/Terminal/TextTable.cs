using System.Text;

namespace Parallax.Cli.Terminal;

/// <summary>Rows under a heading, in columns.</summary>
internal static class TextTable
{
    /// <summary>Lines, each ended; columns as wide as their widest cell.</summary>
    public static string Format(IReadOnlyList<string[]> rows)
    {
        var widths = Enumerable.Range(0, rows[0].Length).Select(column => rows.Max(row => row[column].Length)).ToArray();
        var text = new StringBuilder();
        foreach (var row in rows)
        {
            text.Append(string.Join("  ", row.Select((cell, column) => cell.PadRight(widths[column]))).TrimEnd()).Append('\n');
        }

        return text.ToString();
    }
}
