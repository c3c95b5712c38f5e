using System.Text;

namespace Parallax.Cli.Tokens;

/// <summary>Rows in columns, for people.</summary>
internal static class TextTable
{
    /// <param name="rows">The heading first; all of one length.</param>
    public static string Format(IReadOnlyList<string[]> rows)
    {
        var text = new StringBuilder();
        foreach (var row in rows)
        {
            var cells = row.Select((cell, column) => cell.PadRight(rows.Max(other => other[column].Length)));
            text.Append(string.Join("  ", cells).TrimEnd()).Append('\n');
        }

        return text.ToString();
    }
}
