using System.Buffers;

namespace Parallax.Runtime.ChatTemplates.Rendering;

/// <summary>What Python counts as whitespace, and as the end of a line.</summary>
internal static class PythonSpace
{
    private static readonly SearchValues<char> LineEnds = SearchValues.Create("\n\r\v\f\x1c\x1d\x1e\x85\u2028\u2029");

    public static bool IsSpace(char character) =>
        character is ' ' or '\n' || char.IsWhiteSpace(character) || character is >= '\x1c' and <= '\x1f';

    public static string TrimStart(string text)
    {
        var start = 0;
        while (start < text.Length && IsSpace(text[start]))
        {
            start++;
        }

        return start == 0 ? text : text[start..];
    }

    public static string TrimEnd(string text)
    {
        var end = text.Length;
        while (end > 0 && IsSpace(text[end - 1]))
        {
            end--;
        }

        return end == text.Length ? text : text[..end];
    }

    /// <summary>The length of the line at an offset, and of the line end after it (0 at the end of the text).</summary>
    public static (int Line, int End) LineAt(string text, int offset)
    {
        var length = text.AsSpan(offset).IndexOfAny(LineEnds);
        if (length < 0)
        {
            return (text.Length - offset, 0);
        }

        var end = offset + length;
        return (length, text[end] == '\r' && end + 1 < text.Length && text[end + 1] == '\n' ? 2 : 1);
    }
}
