using System.Text;
using Parallax.Runtime.ChatTemplates.Rendering;
using Parallax.Runtime.ChatTemplates.Values;

namespace Parallax.Runtime.ChatTemplates.Library;

/// <summary>Filters that give text.</summary>
internal static partial class Filters
{
    private const int DefaultLeeway = 5;

    private static TemplateValue Trim(RenderState state, TemplateValue value, TemplateValue[] bound)
    {
        var text = AsText(state, value);
        if (!Arguments.IsAbsent(bound[0]) && !bound[0].IsText)
        {
            throw state.Fail($"'chars' must be a text, not '{bound[0].TypeName}'");
        }

        var characters = Arguments.IsAbsent(bound[0]) ? null : bound[0].AsText;
        state.Charge((long)text.AsText.Length * (characters?.Length ?? 0) >> 6);
        return StringMethods.Same(text, StringMethods.StripText(state, text.AsText, characters, start: true, end: true));
    }

    private static TemplateValue Replace(RenderState state, TemplateValue value, TemplateValue[] bound)
    {
        var count = Arguments.IsAbsent(bound[2]) ? -1 : WholeNumber(state, bound[2], -1, "'count'");
        return TemplateValue.From(StringMethods.ReplaceText(
            state,
            PythonText.ToText(state, value),
            PythonText.ToText(state, bound[0]),
            PythonText.ToText(state, bound[1]),
            count));
    }

    private static TemplateValue Join(RenderState state, TemplateValue value, TemplateValue[] bound)
    {
        var separator = bound[0].IsMissing ? "" : PythonText.ToText(state, bound[0]);
        var items = Sequences.Items(state, value);
        state.Charge(items.Length);
        var buffer = state.Rent();
        for (var i = 0; i < items.Length; i++)
        {
            buffer.Write(state, i > 0 ? separator : "");
            PythonText.WriteText(state, buffer, Arguments.IsAbsent(bound[1]) ? items[i] : AttributePath.Get(state, items[i], bound[1]));
        }

        return TemplateValue.From(state.Return(buffer));
    }

    private static TemplateValue Format(RenderState state, TemplateValue value, CallArguments arguments)
    {
        if (arguments.Named.Length == 0)
        {
            return PercentFormat.Format(state, AsText(state, value), TemplateValue.Tuple(arguments.Positional));
        }

        if (arguments.Positional.Length > 0)
        {
            throw state.Fail("it takes arguments by position or by name, not both");
        }

        var names = new MapValue();
        foreach (var argument in arguments.Named)
        {
            names.Set(TemplateValue.From(argument.Name), argument.Value);
        }

        return PercentFormat.Format(state, AsText(state, value), TemplateValue.Map(names));
    }

    private static TemplateValue Center(RenderState state, TemplateValue value, TemplateValue[] bound)
    {
        var width = bound[0].IsMissing ? TemplateValue.From(80) : bound[0];
        return StringMethods.Find("center")!(state, AsText(state, value), new CallArguments([width], []));
    }

    private static TemplateValue Indent(RenderState state, TemplateValue value, TemplateValue[] bound)
    {
        Comparison.ThrowIfUndefined(state, value);
        if (!value.IsText)
        {
            throw state.Fail($"it indents texts, not '{value.TypeName}'");
        }

        var indent = bound[0].IsText ? bound[0].AsText : Spaces(state, WholeNumber(state, bound[0], 4, "'width'"));
        var indentBlank = Arguments.Flag(bound, 2);
        var lines = StringMethods.Lines(state, value.AsText + "\n", keepEnds: false);
        var buffer = state.Rent();
        for (var i = 0; i < lines.Count; i++)
        {
            buffer.Write(state, i > 0 ? "\n" : "");
            if (i == 0 ? Arguments.Flag(bound, 1) : indentBlank || lines[i].Length > 0)
            {
                buffer.Write(state, indent);
            }

            buffer.Write(state, lines[i]);
        }

        return StringMethods.Same(value, state.Return(buffer));
    }

    private static string Spaces(RenderState state, int count)
    {
        state.Allocate(Math.Max(count, 0));
        return new string(' ', Math.Max(count, 0));
    }

    /// <summary>Words start after spaces, hyphens and opening brackets.</summary>
    private static string TitleWords(RenderState state, string text)
    {
        var buffer = state.Rent();
        for (var position = 0; position < text.Length;)
        {
            var start = position;
            while (position < text.Length && !IsWordBreak(text[position]))
            {
                position++;
            }

            if (position > start)
            {
                var first = start + CodePoints.Offset(text.AsSpan(start), 1);
                buffer.Write(state, PythonCase.Upper(state, text[start..first]));
                buffer.Write(state, PythonCase.Lower(state, text[first..position]));
            }
            else
            {
                buffer.Write(state, text[position++]);
            }
        }

        return state.Return(buffer);
    }

    private static bool IsWordBreak(char character) =>
        character is '-' or '(' or '{' or '[' or '<' || PythonSpace.IsSpace(character);

    private static TemplateValue Truncate(RenderState state, TemplateValue value, TemplateValue[] bound)
    {
        if (value.IsUndefined)
        {
            return value;
        }

        var text = value.IsText ? value : throw state.Fail($"it cuts texts, not '{value.TypeName}'");
        var length = WholeNumber(state, bound[0], 255, "'length'");
        var end = bound[2].IsMissing ? "..." : PythonText.ToText(state, bound[2]);
        var leeway = Arguments.IsAbsent(bound[3]) ? DefaultLeeway : WholeNumber(state, bound[3], DefaultLeeway, "'leeway'");
        var kept = length - CodePoints.Count(end);
        if (kept < 0 || leeway < 0)
        {
            throw state.Fail("'length' must hold 'end', and 'leeway' must not be negative");
        }

        if (CodePoints.Count(text.AsText) <= (long)length + leeway)
        {
            return text;
        }

        var cut = Sequences.Slice(state, text, default, TemplateValue.From(kept), default).AsText;
        var space = Arguments.Flag(bound, 1) ? -1 : cut.LastIndexOf(' ');
        state.Allocate(cut.Length + end.Length);
        return StringMethods.Same(text, (space < 0 ? cut : cut[..space]) + end);
    }

    private static TemplateValue WordCount(RenderState state, TemplateValue value, TemplateValue[] bound)
    {
        var text = PythonText.ToText(state, value);
        state.Charge(text.Length);
        var (count, inWord) = (0, false);
        foreach (var rune in text.EnumerateRunes())
        {
            var isWord = rune.Value == '_' || Rune.IsLetterOrDigit(rune) || Rune.GetNumericValue(rune) != -1;
            count += isWord && !inWord ? 1 : 0;
            inWord = isWord;
        }

        return TemplateValue.From(count);
    }

    private static TemplateValue Escape(RenderState state, TemplateValue value, TemplateValue[] bound) =>
        value.IsMarkup ? value : ForceEscape(state, value, bound);

    private static TemplateValue ForceEscape(RenderState state, TemplateValue value, TemplateValue[] bound) =>
        TemplateValue.Markup(MarkupText.Escape(state, PythonText.ToText(state, value)));

    private static TemplateValue UrlEncode(RenderState state, TemplateValue value)
    {
        var buffer = state.Rent();
        if (value.IsText || !Sequences.IsIterable(value))
        {
            WriteUrl(state, buffer, PythonText.ToText(state, value), isQuery: false);
            return TemplateValue.From(state.Return(buffer));
        }

        var items = value.Kind == ValueKind.Map
            ? new MapView(value.AsMap, MapViewKind.Items).Items(state)
            : Sequences.Items(state, value);
        for (var i = 0; i < items.Length; i++)
        {
            var pair = Sequences.Items(state, items[i]);
            if (pair.Length != 2)
            {
                throw state.Fail("it encodes a text, a mapping or pairs");
            }

            buffer.Write(state, i > 0 ? "&" : "");
            WriteUrl(state, buffer, PythonText.ToText(state, pair[0]), isQuery: true);
            buffer.Write(state, '=');
            WriteUrl(state, buffer, PythonText.ToText(state, pair[1]), isQuery: true);
        }

        return TemplateValue.From(state.Return(buffer));
    }

    private static void WriteUrl(RenderState state, TextBuffer buffer, string text, bool isQuery)
    {
        state.Allocate(text.Length * 2L);
        foreach (var unit in Encoding.UTF8.GetBytes(text))
        {
            var character = (char)unit;
            if (char.IsAsciiLetterOrDigit(character) || character is '_' or '.' or '-' or '~' || (character == '/' && !isQuery))
            {
                buffer.Write(state, character);
            }
            else if (character == ' ' && isQuery)
            {
                buffer.Write(state, '+');
            }
            else
            {
                buffer.Write(state, $"%{unit:X2}");
            }
        }
    }

    private static TemplateValue ToJson(RenderState state, TemplateValue value, TemplateValue[] bound)
    {
        var indent = Arguments.IsAbsent(bound[1]) ? null
            : bound[1].IsText ? bound[1].AsText
            : Spaces(state, WholeNumber(state, bound[1], 0, "'indent'"));
        var (itemSeparator, keySeparator) = (indent is null ? ", " : ",", ": ");
        if (!Arguments.IsAbsent(bound[2]))
        {
            (itemSeparator, keySeparator) = bound[2] is { IsArray: true, AsArray: [{ IsText: true } items, { IsText: true } keys] }
                ? (items.AsText, keys.AsText)
                : throw state.Fail("'separators' must be two texts");
        }

        var buffer = state.Rent();
        new JsonText(state, buffer, Arguments.Flag(bound, 0), indent, itemSeparator, keySeparator, Arguments.Flag(bound, 3)).Write(value, 0);
        return TemplateValue.From(state.Return(buffer));
    }
}
