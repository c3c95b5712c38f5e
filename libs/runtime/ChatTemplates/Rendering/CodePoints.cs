using System.Text;

namespace Parallax.Runtime.ChatTemplates.Rendering;

/// <summary>
/// Text measured in code points, as Python does. Texts without surrogates, which are most, cost nothing extra;
/// half a surrogate pair counts as one code point.
/// </summary>
internal static class CodePoints
{
    private static readonly string[] Ascii = [.. Enumerable.Range(0, 128).Select(code => ((char)code).ToString())];

    public static bool IsSimple(ReadOnlySpan<char> text) => !text.ContainsAnyInRange('\uD800', '\uDFFF');

    public static int Count(ReadOnlySpan<char> text)
    {
        var surrogate = text.IndexOfAnyInRange('\uD800', '\uDFFF');
        return surrogate < 0 ? text.Length : surrogate + CountRunes(text[surrogate..]);
    }

    /// <summary>The UTF-16 index of a code point; the text's length for the index one past the last.</summary>
    public static int Offset(ReadOnlySpan<char> text, int codePoint)
    {
        var offset = 0;
        for (; codePoint > 0; codePoint--)
        {
            offset += Width(text[offset..]);
        }

        return offset;
    }

    /// <summary>The code points as texts of their own.</summary>
    public static TemplateValue[] Split(RenderState state, string text)
    {
        var items = state.NewArray(Count(text));
        var offset = 0;
        for (var i = 0; i < items.Length; i++)
        {
            var width = Width(text.AsSpan(offset));
            items[i] = TemplateValue.From(Single(text, offset, width));
            offset += width;
        }

        return items;
    }

    /// <summary>The code point at an index, or null outside the text. Negative indices count from the end.</summary>
    public static string? At(RenderState state, string text, long index)
    {
        state.ChargeScan(text.Length);
        if (IsSimple(text))
        {
            index += index < 0 ? text.Length : 0;
            return index >= 0 && index < text.Length ? Single(text, (int)index, 1) : null;
        }

        state.Charge(text.Length);
        var count = Count(text);
        index += index < 0 ? count : 0;
        if (index < 0 || index >= count)
        {
            return null;
        }

        var offset = Offset(text, (int)index);
        return Single(text, offset, Width(text.AsSpan(offset)));
    }

    public static string Reverse(RenderState state, string text)
    {
        state.Allocate(text.Length);
        state.Charge(text.Length >> 2);
        return string.Create(text.Length, text, static (target, source) =>
        {
            for (var offset = 0; offset < source.Length;)
            {
                var width = Width(source.AsSpan(offset));
                source.AsSpan(offset, width).CopyTo(target[(target.Length - offset - width)..]);
                offset += width;
            }
        });
    }

    private static int CountRunes(ReadOnlySpan<char> text)
    {
        var count = 0;
        for (var offset = 0; offset < text.Length; count++)
        {
            offset += Width(text[offset..]);
        }

        return count;
    }

    private static int Width(ReadOnlySpan<char> text)
    {
        if (!char.IsSurrogate(text[0]))
        {
            return 1;
        }

        Rune.DecodeFromUtf16(text, out _, out var consumed);
        return consumed;
    }

    private static string Single(string text, int offset, int width) =>
        width == 1 && text[offset] < 128 ? Ascii[text[offset]] : text.Substring(offset, width);
}
