using System.CommandLine.Parsing;
using System.Globalization;

namespace Parallax.Hosting.Commands;

/// <summary>Bytes on the command line.</summary>
public static class SizeText
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
        ArgumentNullException.ThrowIfNull(text);
        var upper = text.Trim().ToUpperInvariant();
        var (unit, bytes) = Units.First(unit => upper.EndsWith(unit.Unit, StringComparison.Ordinal));
        return decimal.TryParse(upper[..^unit.Length].TrimEnd(), NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number)
            && number >= 0 && number <= long.MaxValue / (decimal)bytes
                ? (long)(number * bytes)
                : null;
    }

    /// <summary>The value of an option that takes a size, 0 too; adds an error that says what to write when it is none.</summary>
    public static long? ParseOption(ArgumentResult argument) => ParseOption(argument, Parse);

    /// <summary>As <see cref="ParseOption(ArgumentResult)"/>, above 0.</summary>
    public static long? ParsePositiveOption(ArgumentResult argument) => ParseOption(argument, ParsePositive);

    /// <summary>As <see cref="Parse"/>, above 0.</summary>
    public static long? ParsePositive(string text) => Parse(text) is > 0 and var bytes ? bytes : null;

    private static long? ParseOption(ArgumentResult argument, Func<string, long?> parse)
    {
        ArgumentNullException.ThrowIfNull(argument);
        var text = argument.Tokens is [var token] ? token.Value : "";
        if (parse(text) is { } bytes)
        {
            return bytes;
        }

        var option = argument.Parent is OptionResult { Option.Name: var name } ? $"{name}: " : "";
        argument.AddError($"{option}'{text}' is no size; use a number with a unit, e.g. 4GiB or 800MiB.");
        return null;
    }
}
