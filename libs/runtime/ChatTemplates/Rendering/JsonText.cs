using System.Globalization;
using Parallax.Runtime.ChatTemplates.Values;

namespace Parallax.Runtime.ChatTemplates.Rendering;

/// <summary>
/// The filter <c>tojson</c> as model repositories mean it: Python's json.dumps with ensure_ascii off by default, keys
/// in their order, nothing escaped for HTML.
/// </summary>
internal sealed class JsonText(
    RenderState state, TextBuffer buffer, bool ensureAscii, string? indent, string itemSeparator, string keySeparator, bool sortKeys)
{
    public void Write(TemplateValue value, int level)
    {
        switch (value.Kind)
        {
            case ValueKind.None:
                buffer.Write(state, "null");
                break;
            case ValueKind.Boolean:
                buffer.Write(state, value.AsBoolean ? "true" : "false");
                break;
            case ValueKind.Integer:
                buffer.Write(state, PythonText.IntegerText(value));
                break;
            case ValueKind.Float:
                buffer.Write(state, FloatText(value.AsFloat));
                break;
            case ValueKind.Text:
                WriteText(value.AsText);
                break;
            case ValueKind.List or ValueKind.Tuple:
                WriteItems(value.AsArray, level);
                break;
            case ValueKind.Map:
                WriteMap(value.AsMap, level);
                break;
            default:
                Comparison.ThrowIfUndefined(state, value);
                throw state.Fail($"'{value.TypeName}' cannot be written as JSON");
        }
    }

    private static string FloatText(double value) =>
        double.IsNaN(value) ? "NaN"
        : double.IsInfinity(value) ? value > 0 ? "Infinity" : "-Infinity"
        : PythonFloat.Repr(value);

    private void WriteItems(TemplateValue[] items, int level)
    {
        if (items.Length == 0)
        {
            buffer.Write(state, "[]");
            return;
        }

        state.Enter(1);
        state.Charge(items.Length);
        buffer.Write(state, '[');
        for (var i = 0; i < items.Length; i++)
        {
            Separate(i, level + 1);
            Write(items[i], level + 1);
        }

        NewLine(level);
        buffer.Write(state, ']');
        state.Leave(1);
    }

    private void WriteMap(MapValue map, int level)
    {
        if (map.Count == 0)
        {
            buffer.Write(state, "{}");
            return;
        }

        state.Enter(1);
        state.Charge(map.Count);
        buffer.Write(state, '{');
        var entries = sortKeys ? Sorting.ByKey(state, map) : null;
        for (var i = 0; i < map.Count; i++)
        {
            var (key, value) = entries is null ? map[i] : entries[i];
            Separate(i, level + 1);
            WriteText(KeyText(key));
            buffer.Write(state, keySeparator);
            Write(value, level + 1);
        }

        NewLine(level);
        buffer.Write(state, '}');
        state.Leave(1);
    }

    private string KeyText(TemplateValue key) => key.Kind switch
    {
        ValueKind.Text => key.AsText,
        ValueKind.Integer => PythonText.IntegerText(key),
        ValueKind.Float => FloatText(key.AsFloat),
        ValueKind.Boolean => key.AsBoolean ? "true" : "false",
        ValueKind.None => "null",
        _ => throw state.Fail($"a key of type '{key.TypeName}' cannot be written as JSON"),
    };

    private void Separate(int index, int level)
    {
        if (index > 0)
        {
            buffer.Write(state, itemSeparator);
        }

        NewLine(level);
    }

    private void NewLine(int level)
    {
        if (indent is null)
        {
            return;
        }

        buffer.Write(state, '\n');
        for (var i = 0; i < level; i++)
        {
            buffer.Write(state, indent);
        }
    }

    private void WriteText(string text)
    {
        state.ChargeScan(text.Length * 4L);
        buffer.Write(state, '"');
        var written = 0;
        for (var i = 0; i < text.Length; i++)
        {
            var character = text[i];
            if (character is not ('"' or '\\' or < ' ') && (!ensureAscii || char.IsAscii(character)))
            {
                continue;
            }

            buffer.Write(state, text.AsSpan(written, i - written));
            written = i + 1;
            buffer.Write(state, character switch
            {
                '"' => "\\\"",
                '\\' => "\\\\",
                '\n' => "\\n",
                '\r' => "\\r",
                '\t' => "\\t",
                '\b' => "\\b",
                '\f' => "\\f",
                _ => string.Create(CultureInfo.InvariantCulture, $"\\u{(int)character:x4}"),
            });
        }

        buffer.Write(state, text.AsSpan(written));
        buffer.Write(state, '"');
    }
}
