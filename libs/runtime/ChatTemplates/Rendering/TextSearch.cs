namespace Parallax.Runtime.ChatTemplates.Rendering;

/// <summary>
/// Searching for a text in a text in linear time. The library's search is fast but takes length times length in the
/// worst case, which a hostile template would reach: long patterns go to Knuth, Morris and Pratt's algorithm.
/// </summary>
internal sealed class TextSearch
{
    private const int ShortPattern = 32;

    private readonly string _pattern;
    private readonly int[]? _borders;

    public TextSearch(RenderState state, string pattern)
    {
        _pattern = pattern;
        if (pattern.Length > ShortPattern)
        {
            state.Allocate(pattern.Length * 2L);
            state.Charge(pattern.Length >> 2);
            _borders = Borders(pattern);
        }
    }

    /// <summary>UTF-16 index of the first occurrence at or after <paramref name="start"/>, or -1.</summary>
    public int IndexIn(RenderState state, string text, int start)
    {
        var found = _borders is null
            ? text.AsSpan(start).IndexOf(_pattern, StringComparison.Ordinal)
            : IndexByBorders(text.AsSpan(start));
        var scanned = found < 0 ? text.Length - start : found + _pattern.Length;

        // The short search compares up to a pattern's length at each position.
        state.Charge(1 + (scanned >> (_borders is null ? 4 : 2)));
        return found < 0 ? -1 : found + start;
    }

    public static bool Contains(RenderState state, string text, string pattern) =>
        pattern.Length <= text.Length && new TextSearch(state, pattern).IndexIn(state, text, 0) >= 0;

    /// <summary>UTF-16 index of the last occurrence, or -1: found by walking over all of them.</summary>
    public static int LastIndex(RenderState state, string text, string pattern)
    {
        if (pattern.Length == 0)
        {
            return text.Length;
        }

        var search = new TextSearch(state, pattern);
        var last = -1;
        for (var found = search.IndexIn(state, text, 0); found >= 0; found = search.IndexIn(state, text, found + 1))
        {
            last = found;
        }

        return last;
    }

    private int IndexByBorders(ReadOnlySpan<char> text)
    {
        var matched = 0;
        for (var i = 0; i < text.Length; i++)
        {
            while (matched > 0 && text[i] != _pattern[matched])
            {
                matched = _borders![matched - 1];
            }

            if (text[i] == _pattern[matched] && ++matched == _pattern.Length)
            {
                return i - matched + 1;
            }
        }

        return -1;
    }

    /// <summary>For each prefix the length of its longest proper border.</summary>
    private static int[] Borders(string pattern)
    {
        var borders = new int[pattern.Length];
        var matched = 0;
        for (var i = 1; i < pattern.Length; i++)
        {
            while (matched > 0 && pattern[i] != pattern[matched])
            {
                matched = borders[matched - 1];
            }

            matched += pattern[i] == pattern[matched] ? 1 : 0;
            borders[i] = matched;
        }

        return borders;
    }
}
