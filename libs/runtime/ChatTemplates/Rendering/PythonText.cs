using System.Globalization;
using Parallax.Runtime.ChatTemplates.Values;

namespace Parallax.Runtime.ChatTemplates.Rendering;

/// <summary>Python's str() and repr().</summary>
internal static class PythonText
{
    public static string ToText(RenderState state, TemplateValue value)
    {
        if (value.IsText)
        {
            return value.AsText;
        }

        var buffer = state.Rent();
        WriteText(state, buffer, value);
        return state.Return(buffer);
    }

    public static string ToRepr(RenderState state, TemplateValue value)
    {
        var buffer = state.Rent();
        WriteRepr(state, buffer, value);
        return state.Return(buffer);
    }

    /// <summary>Writes str(value); undefined values write nothing.</summary>
    public static void WriteText(RenderState state, TextBuffer buffer, TemplateValue value)
    {
        if (value.IsText)
        {
            buffer.Write(state, value.AsText);
        }
        else if (!value.IsUndefined)
        {
            WriteRepr(state, buffer, value);
        }
    }

    public static void WriteRepr(RenderState state, TextBuffer buffer, TemplateValue value)
    {
        switch (value.Kind)
        {
            case ValueKind.Missing or ValueKind.Undefined:
                buffer.Write(state, "Undefined");
                break;
            case ValueKind.None:
                buffer.Write(state, "None");
                break;
            case ValueKind.Boolean:
                buffer.Write(state, value.AsBoolean ? "True" : "False");
                break;
            case ValueKind.Integer:
                buffer.Write(state, IntegerText(value));
                break;
            case ValueKind.Float:
                buffer.Write(state, PythonFloat.Repr(value.AsFloat));
                break;
            case ValueKind.Text:
                WriteQuoted(state, buffer, value.AsText);
                break;
            case ValueKind.List:
                WriteItems(state, buffer, value.AsArray, "[", "]");
                break;
            case ValueKind.Tuple:
                WriteItems(state, buffer, value.AsArray, "(", value.AsArray.Length == 1 ? ",)" : ")");
                break;
            case ValueKind.Map:
                WriteMap(state, buffer, value.AsMap);
                break;
            default:
                state.Enter(1);
                value.AsObject.WriteTo(state, buffer);
                state.Leave(1);
                break;
        }
    }

    public static string IntegerText(TemplateValue value) => value.IsSmallIntegral
        ? value.AsLong.ToString(CultureInfo.InvariantCulture)
        : value.AsBig.ToString(CultureInfo.InvariantCulture);

    private static void WriteItems(RenderState state, TextBuffer buffer, TemplateValue[] items, string open, string close)
    {
        state.Enter(1);
        state.Charge(items.Length);
        buffer.Write(state, open);
        for (var i = 0; i < items.Length; i++)
        {
            if (i > 0)
            {
                buffer.Write(state, ", ");
            }

            WriteRepr(state, buffer, items[i]);
        }

        buffer.Write(state, close);
        state.Leave(1);
    }

    private static void WriteMap(RenderState state, TextBuffer buffer, MapValue map)
    {
        state.Enter(1);
        state.Charge(map.Count);
        buffer.Write(state, "{");
        for (var i = 0; i < map.Count; i++)
        {
            if (i > 0)
            {
                buffer.Write(state, ", ");
            }

            WriteRepr(state, buffer, map[i].Key);
            buffer.Write(state, ": ");
            WriteRepr(state, buffer, map[i].Value);
        }

        buffer.Write(state, "}");
        state.Leave(1);
    }

    /// <summary>Single quotes unless the text has some and no double ones; unprintable characters escaped.</summary>
    private static void WriteQuoted(RenderState state, TextBuffer buffer, string text)
    {
        var quote = text.Contains('\'') && !text.Contains('"') ? '"' : '\'';
        state.ChargeScan(text.Length * 8L);
        buffer.Write(state, quote);
        for (var i = 0; i < text.Length; i++)
        {
            var character = text[i];
            switch (character)
            {
                case '\\':
                    buffer.Write(state, "\\\\");
                    break;
                case '\n':
                    buffer.Write(state, "\\n");
                    break;
                case '\r':
                    buffer.Write(state, "\\r");
                    break;
                case '\t':
                    buffer.Write(state, "\\t");
                    break;
                case '\'' or '"' when character == quote:
                    buffer.Write(state, '\\');
                    buffer.Write(state, character);
                    break;
                case >= ' ' and < '\x7f':
                    buffer.Write(state, character);
                    break;
                default:
                    var isPair = char.IsSurrogatePair(text, i);
                    var codePoint = isPair ? char.ConvertToUtf32(text, i) : character;
                    if (IsPrintable(codePoint))
                    {
                        buffer.Write(state, text.AsSpan(i, isPair ? 2 : 1));
                    }
                    else
                    {
                        WriteEscape(state, buffer, codePoint);
                    }

                    i += isPair ? 1 : 0;
                    break;
            }
        }

        buffer.Write(state, quote);
    }

    private static void WriteEscape(RenderState state, TextBuffer buffer, int codePoint) =>
        buffer.Write(state, codePoint switch
        {
            < 0x100 => $"\\x{codePoint:x2}",
            < 0x10000 => $"\\u{codePoint:x4}",
            _ => $"\\U{codePoint:x8}",
        });

    private static bool IsPrintable(int codePoint) =>
        codePoint is not (>= 0xD800 and <= 0xDFFF) && CharUnicodeInfo.GetUnicodeCategory(codePoint) is not (
            UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.Surrogate or UnicodeCategory.PrivateUse
            or UnicodeCategory.OtherNotAssigned or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator
            or UnicodeCategory.SpaceSeparator);
}
