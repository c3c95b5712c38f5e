using System.Globalization;

namespace Parallax.KvCache;

/// <summary>Bytes on the command line.</summary>
internal static class SizeText
{
    private static readonly (string Unit, long Bytes)[] Units =
    [
        ("KIB", 1L << 10), ("MIB", 1L << 20), ("GIB", 1L << 30), ("TIB", 1L << 40),
        ("KB", 1_000), ("MB", 1_000_000), ("GB", 1_000_000_000), ("TB", 1_000_000_000_000),
        ("K", 1L << 10), ("M", 1L << 20), ("G", 1L << 30), ("T", 1L << 40), ("B", 1), ("", 1),
    ];

    /// <summary>Bytes from a number with a unit, e.g. 4GiB, 1.5g, 800MB, 0; null for anything else.</summary>
    public static long? Parse(string text)
    {
        var upper = text.Trim().ToUpperInvariant();
        var (unit, bytes) = Units.First(unit => upper.EndsWith(unit.Unit, StringComparison.Ordinal));
        return decimal.TryParse(upper[..^unit.Length].TrimEnd(), NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number)
            && number >= 0 && number <= long.MaxValue / (decimal)bytes
                ? (long)(number * bytes)
                : null;
    }
}
