using System.Diagnostics.CodeAnalysis;

namespace Parallax.Cli.Chaos.Faults;

/// <summary>The words that scripts, options and reports use.</summary>
internal static class Names
{
    /// <summary>The word for a value.</summary>
    [SuppressMessage("Globalization", "CA1308", Justification = "words on the command line are lower-case")]
    public static string Of<T>(T value)
        where T : struct, Enum => value.ToString().ToLowerInvariant();

    /// <summary>The value of a word; null for any other one.</summary>
    public static T? Parse<T>(string word)
        where T : struct, Enum
    {
        foreach (var value in Enum.GetValues<T>())
        {
            if (Of(value) == word)
            {
                return value;
            }
        }

        return null;
    }
}
