using System.Globalization;

namespace Parallax.Cli.Terminal;

/// <summary>Numbers for people.</summary>
internal static class Figures
{
    private static readonly string[] ByteUnits = ["B", "KiB", "MiB", "GiB", "TiB"];

    /// <summary>Bytes with a binary unit, three digits.</summary>
    public static string Bytes(long bytes)
    {
        double value = bytes;
        var unit = 0;
        while (value >= 1024 && unit < ByteUnits.Length - 1)
        {
            value /= 1024;
            unit++;
        }

        return $"{Digits(value)} {ByteUnits[unit]}";
    }

    /// <summary>A count with K, M, B, as model sizes are named.</summary>
    public static string Count(long count) => count switch
    {
        >= 1_000_000_000 => $"{Digits(count / 1e9)} B",
        >= 1_000_000 => $"{Digits(count / 1e6)} M",
        >= 1_000 => $"{Digits(count / 1e3)} K",
        _ => count.ToString(CultureInfo.InvariantCulture),
    };

    /// <summary>Three significant digits or, above 100, whole.</summary>
    public static string Digits(double value) => Math.Abs(value) switch
    {
        >= 99.95 => value.ToString("0", CultureInfo.InvariantCulture),
        >= 9.995 => value.ToString("0.#", CultureInfo.InvariantCulture),
        _ => value.ToString("0.##", CultureInfo.InvariantCulture),
    };
}
