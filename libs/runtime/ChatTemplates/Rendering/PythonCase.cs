using System.Collections.Frozen;
using System.Globalization;
using System.Text;

namespace Parallax.Runtime.ChatTemplates.Rendering;

/// <summary>
/// Python's case conversion: Unicode's simple mappings, the unconditional expansions of Latin and Armenian letters and
/// ligatures, and the final sigma.
/// </summary>
internal static class PythonCase
{
    private static readonly FrozenDictionary<char, string> Expansions = new Dictionary<char, string>
    {
        ['\u00DF'] = "SS",
        ['\u0149'] = "\u02BCN",
        ['\u01F0'] = "J\u030C",
        ['\u0390'] = "\u0399\u0308\u0301",
        ['\u03B0'] = "\u03A5\u0308\u0301",
        ['\u0587'] = "\u0535\u0552",
        ['\u1E96'] = "H\u0331",
        ['\u1E97'] = "T\u0308",
        ['\u1E98'] = "W\u030A",
        ['\u1E99'] = "Y\u030A",
        ['\u1E9A'] = "A\u02BE",
        ['\uFB00'] = "FF",
        ['\uFB01'] = "FI",
        ['\uFB02'] = "FL",
        ['\uFB03'] = "FFI",
        ['\uFB04'] = "FFL",
        ['\uFB05'] = "ST",
        ['\uFB06'] = "ST",
    }.ToFrozenDictionary();

    public static string Upper(RenderState state, string text)
    {
        Charge(state, text);
        return text.AsSpan().IndexOfAnyExceptInRange('\0', '\x7f') < 0
            ? text.ToUpperInvariant()
            : Map(state, text, static (_, rune, _) => UpperOf(rune));
    }

    public static string Lower(RenderState state, string text)
    {
        Charge(state, text);
#pragma warning disable CA1308 // Lower case is what the template asked for, not a way to compare texts.
        return text.AsSpan().IndexOfAnyExceptInRange('\0', '\x7f') < 0 ? text.ToLowerInvariant() : Map(state, text, LowerOf);
#pragma warning restore CA1308
    }

    /// <summary>First character upper, the rest lower.</summary>
    public static string Capitalize(RenderState state, string text)
    {
        if (text.Length == 0)
        {
            return text;
        }

        var first = CodePoints.Offset(text, 1);
        state.Charge(text.Length >> 3);
        return TitleText(UpperSingle(text[..first])) + Lower(state, text[first..]);
    }

    /// <summary>str.title(): upper after every character that has no case.</summary>
    public static string Title(RenderState state, string text)
    {
        Charge(state, text);
        var inWord = false;
        return Map(state, text, (source, rune, index) =>
        {
            var mapped = inWord ? LowerOf(source, rune, index) : TitleText(UpperOf(rune));
            inWord = IsCased(rune);
            return mapped;
        });
    }

    public static string SwapCase(RenderState state, string text)
    {
        Charge(state, text);
        return Map(state, text, static (source, rune, index) =>
            IsUpper(rune) ? LowerOf(source, rune, index) : IsLower(rune) ? UpperOf(rune) : rune.ToString());
    }

    /// <summary>At least one cased character, and none of the other case.</summary>
    public static bool IsAll(string text, bool upper)
    {
        var any = false;
        foreach (var rune in text.EnumerateRunes())
        {
            if (upper ? IsLower(rune) || IsTitle(rune) : IsUpper(rune) || IsTitle(rune))
            {
                return false;
            }

            any |= upper ? IsUpper(rune) : IsLower(rune);
        }

        return any;
    }

    public static bool IsTitleText(string text)
    {
        var (any, inWord) = (false, false);
        foreach (var rune in text.EnumerateRunes())
        {
            var capital = IsUpper(rune) || IsTitle(rune);
            if ((capital && inWord) || (IsLower(rune) && !inWord))
            {
                return false;
            }

            inWord = capital || IsLower(rune);
            any |= inWord;
        }

        return any;
    }

    private static bool IsCased(Rune rune) => IsUpper(rune) || IsLower(rune) || IsTitle(rune);

    private static bool IsUpper(Rune rune) => Rune.GetUnicodeCategory(rune) == UnicodeCategory.UppercaseLetter;

    private static bool IsLower(Rune rune) => Rune.GetUnicodeCategory(rune) == UnicodeCategory.LowercaseLetter;

    private static bool IsTitle(Rune rune) => Rune.GetUnicodeCategory(rune) == UnicodeCategory.TitlecaseLetter;

    private static void Charge(RenderState state, string text)
    {
        state.Charge(text.Length >> 3);
        state.Allocate(text.Length);
    }

    private static string Map(RenderState state, string text, Func<string, Rune, int, string> map)
    {
        state.Charge(text.Length);
        var result = new StringBuilder(text.Length);
        for (var i = 0; i < text.Length;)
        {
            if (Rune.TryGetRuneAt(text, i, out var rune))
            {
                result.Append(map(text, rune, i));
                i += rune.Utf16SequenceLength;
            }
            else
            {
                result.Append(text[i++]);
            }
        }

        return result.ToString();
    }

    private static string UpperOf(Rune rune) => rune.IsBmp && Expansions.TryGetValue((char)rune.Value, out var expansion)
        ? expansion
        : Rune.ToUpperInvariant(rune).ToString();

    private static string UpperSingle(string text) => Rune.TryGetRuneAt(text, 0, out var rune) ? UpperOf(rune) : text;

    /// <summary>An expansion at the start of a word keeps only its first letter upper: "ß" gives "Ss".</summary>
    private static string TitleText(string upper)
    {
#pragma warning disable CA1308 // See Lower.
        return upper.Length > 1 && !char.IsSurrogate(upper[0]) ? upper[0] + upper[1..].ToLowerInvariant() : upper;
#pragma warning restore CA1308
    }

    private static string LowerOf(string text, Rune rune, int index) => rune.Value switch
    {
        0x130 => "i\u0307",
        0x3A3 => IsFinalSigma(text, index) ? "\u03C2" : "\u03C3",
        _ => Rune.ToLowerInvariant(rune).ToString(),
    };

    /// <summary>A sigma with a letter before it and none behind; marks and apostrophes between do not count.</summary>
    private static bool IsFinalSigma(string text, int index)
    {
        var before = index - 1;
        while (before >= 0 && IsCaseIgnorable(text[before]))
        {
            before--;
        }

        var after = index + 1;
        while (after < text.Length && IsCaseIgnorable(text[after]))
        {
            after++;
        }

        return before >= 0 && char.IsLetter(text[before]) && !(after < text.Length && char.IsLetter(text[after]));
    }

    private static bool IsCaseIgnorable(char character) =>
        character is '\'' or '.' or ':' or '\u00B7' or '\u2019'
        || char.GetUnicodeCategory(character) is UnicodeCategory.NonSpacingMark or UnicodeCategory.EnclosingMark
            or UnicodeCategory.Format or UnicodeCategory.ModifierLetter or UnicodeCategory.ModifierSymbol;
}
