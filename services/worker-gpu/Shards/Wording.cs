using System.Globalization;

namespace Parallax.Worker.Gpu.Shards;

/// <summary>Words and numbers in refusals.</summary>
internal static class Wording
{
    private const int MostCharacters = 200;

    /// <summary>Bytes in MiB, one digit behind the point.</summary>
    public static string MiB(long bytes) => string.Create(CultureInfo.InvariantCulture, $"{bytes / 1048576.0:0.0}");

    /// <summary>A peer's text, cut and without control characters, so that it can neither flood nor forge a log.</summary>
    public static string Printable(string text)
    {
        var cut = text.Length <= MostCharacters ? text : string.Concat(text.AsSpan(0, MostCharacters), "...");
        return string.Concat(cut.Select(static c => char.IsControl(c) ? '?' : c));
    }
}
