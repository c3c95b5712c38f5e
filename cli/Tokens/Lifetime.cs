using System.Globalization;

namespace Parallax.Cli.Tokens;

/// <summary>A span of time as people write it: <c>90s</c>, <c>30m</c>, <c>12h</c>, <c>7d</c>.</summary>
internal static class Lifetime
{
    private static readonly TimeSpan Longest = TimeSpan.FromDays(3650);

    /// <summary>Reads one, above zero and at most ten years; null for anything else.</summary>
    public static TimeSpan? Parse(string text)
    {
        if (text.Length < 2 || !int.TryParse(text.AsSpan(0, text.Length - 1), NumberStyles.None, CultureInfo.InvariantCulture, out var count))
        {
            return null;
        }

        TimeSpan? unit = text[^1] switch
        {
            's' => TimeSpan.FromSeconds(1),
            'm' => TimeSpan.FromMinutes(1),
            'h' => TimeSpan.FromHours(1),
            'd' => TimeSpan.FromDays(1),
            _ => null,
        };
        return unit is { } one && count > 0 && count <= Longest / one ? count * one : null;
    }
}
