using System.Globalization;

namespace Parallax.Runtime.ChatTemplates.Rendering;

/// <summary>Python's <c>'{}: {name!r:&gt;8}'.format(...)</c>.</summary>
internal static class BraceFormat
{
    public static string Format(RenderState state, string text, CallArguments arguments)
    {
        var buffer = state.Rent();
        var automatic = 0;
        for (var position = 0; position < text.Length;)
        {
            var character = text[position++];
            if (character is not ('{' or '}'))
            {
                buffer.Write(state, character);
            }
            else if (position < text.Length && text[position] == character)
            {
                buffer.Write(state, character);
                position++;
            }
            else if (character == '}')
            {
                throw state.Fail("the format has a single '}'");
            }
            else
            {
                buffer.Write(state, FormatField(state, ReadField(state, text, ref position), arguments, ref automatic));
            }
        }

        return state.Return(buffer);
    }

    /// <summary>The field up to its closing brace; braces inside it are counted.</summary>
    private static string ReadField(RenderState state, string text, ref int position)
    {
        var start = position;
        for (var depth = 1; position < text.Length; position++)
        {
            depth += text[position] == '{' ? 1 : text[position] == '}' ? -1 : 0;
            if (depth == 0)
            {
                return text[start..position++];
            }
        }

        throw state.Fail("the format has an open '{'");
    }

    private static string FormatField(RenderState state, string field, CallArguments arguments, ref int automatic)
    {
        state.Charge(1 + field.Length);
        var colon = field.IndexOf(':', StringComparison.Ordinal);
        var head = colon < 0 ? field : field[..colon];
        var spec = colon < 0 ? "" : field[(colon + 1)..];
        var bang = head.IndexOf('!', StringComparison.Ordinal);
        var conversion = bang < 0 ? "" : head[(bang + 1)..];
        var path = bang < 0 ? head : head[..bang];
        var value = Resolve(state, path, arguments, ref automatic);
        if (spec.Contains('{', StringComparison.Ordinal))
        {
            spec = NestedSpec(state, spec, arguments, ref automatic);
        }

        value = conversion switch
        {
            "" => value,
            "s" => TemplateValue.From(PythonText.ToText(state, value)),
            "r" or "a" => TemplateValue.From(PythonText.ToRepr(state, value)),
            _ => throw state.Fail($"the conversion '!{conversion}' is not known"),
        };
        return spec.Length == 0 ? PythonText.ToText(state, value) : FormatSpec.Parse(state, spec).Apply(state, value);
    }

    /// <summary>A spec such as <c>{width}</c> takes its parts from arguments, one level deep.</summary>
    private static string NestedSpec(RenderState state, string spec, CallArguments arguments, ref int automatic)
    {
        var buffer = state.Rent();
        for (var position = 0; position < spec.Length;)
        {
            var character = spec[position++];
            if (character != '{')
            {
                buffer.Write(state, character);
                continue;
            }

            var name = ReadField(state, spec, ref position);
            buffer.Write(state, PythonText.ToText(state, Resolve(state, name, arguments, ref automatic)));
        }

        return state.Return(buffer);
    }

    private static TemplateValue Resolve(RenderState state, string path, CallArguments arguments, ref int automatic)
    {
        var end = path.AsSpan().IndexOfAny('.', '[');
        var name = end < 0 ? path : path[..end];
        var value = Argument(state, name, arguments, ref automatic);
        for (var position = end < 0 ? path.Length : end; position < path.Length;)
        {
            if (path[position] == '[')
            {
                var close = path.IndexOf(']', position);
                var key = close < 0 ? throw state.Fail("the format has an open '['") : path[(position + 1)..close];
                value = Lookup.Item(state, value, int.TryParse(key, NumberStyles.None, CultureInfo.InvariantCulture, out var index)
                    ? TemplateValue.From(index)
                    : TemplateValue.From(key));
                position = close + 1;
            }
            else
            {
                var next = path.AsSpan(position + 1).IndexOfAny('.', '[');
                var stop = next < 0 ? path.Length : position + 1 + next;
                value = Lookup.Attribute(state, value, path[(position + 1)..stop]);
                position = stop;
            }
        }

        return value;
    }

    private static TemplateValue Argument(RenderState state, string name, CallArguments arguments, ref int automatic)
    {
        var index = name.Length == 0 ? automatic++
            : int.TryParse(name, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : -1;
        if (index >= 0)
        {
            return index < arguments.Positional.Length
                ? arguments.Positional[index]
                : throw state.Fail($"the format has no argument {index}");
        }

        return arguments.FindNamed(name) ?? throw state.Fail($"the format's name '{name}' has no argument");
    }
}
