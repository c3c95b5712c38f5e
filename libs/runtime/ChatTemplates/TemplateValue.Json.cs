using System.Globalization;
using System.Numerics;
using System.Text.Json;
using Parallax.Runtime.ChatTemplates.Values;

namespace Parallax.Runtime.ChatTemplates;

public readonly partial struct TemplateValue
{
    // System.Text.Json stops at 64 levels unless told otherwise; Python stops at 4300 digits.
    private const int MaxJsonDepth = 256;
    private const int MaxIntegerDigits = 4_300;

    /// <summary>A JSON value as Python's json module reads it: order of members kept, integers exact.</summary>
    /// <exception cref="ChatTemplateException">Nested too deeply, half a surrogate pair, an integer too long.</exception>
    public static TemplateValue FromJson(JsonElement element) => FromJson(element, 0);

    private static TemplateValue FromJson(JsonElement element, int depth)
    {
        if (depth > MaxJsonDepth)
        {
            throw BadInput($"the value is nested more than {MaxJsonDepth} levels deep");
        }

        switch (element.ValueKind)
        {
            case JsonValueKind.String:
                return From(ReadText(element));
            case JsonValueKind.Number:
                return ReadNumber(element);
            case JsonValueKind.True:
                return True;
            case JsonValueKind.False:
                return False;
            case JsonValueKind.Null:
                return None;
            case JsonValueKind.Array:
                var items = new TemplateValue[element.GetArrayLength()];
                var next = 0;
                foreach (var item in element.EnumerateArray())
                {
                    items[next++] = FromJson(item, depth + 1);
                }

                return List(items);
            case JsonValueKind.Object:
                var map = new MapValue();
                foreach (var member in element.EnumerateObject())
                {
                    map.Set(From(ReadName(member)), FromJson(member.Value, depth + 1));
                }

                return Map(map);
            default:
                return default;
        }
    }

    private static string ReadText(JsonElement element)
    {
        try
        {
            return element.GetString()!;
        }
        catch (InvalidOperationException cause)
        {
            throw BadInput("a text contains half of a surrogate pair", cause);
        }
    }

    private static string ReadName(JsonProperty member)
    {
        try
        {
            return member.Name;
        }
        catch (InvalidOperationException cause)
        {
            throw BadInput("a member's name contains half of a surrogate pair", cause);
        }
    }

    private static TemplateValue ReadNumber(JsonElement element)
    {
        if (element.TryGetInt64(out var small))
        {
            // "-0" is the integer 0 in Python; "1e2" and "1.0" are floats, and TryGetInt64 accepts neither.
            return From(small);
        }

        var text = element.GetRawText();
        if (text.AsSpan().IndexOfAny('.', 'e', 'E') >= 0)
        {
            return From(element.GetDouble());
        }

        return text.Length <= MaxIntegerDigits
            ? From(BigInteger.Parse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture))
            : throw BadInput($"an integer has more than {MaxIntegerDigits} digits");
    }

    private static ChatTemplateException BadInput(string problem, Exception? cause = null) =>
        new(ChatTemplateFault.Input, "input", 0, "", problem, cause);
}
