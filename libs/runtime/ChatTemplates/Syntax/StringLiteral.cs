using System.Globalization;
using System.Text;

namespace Parallax.Runtime.ChatTemplates.Syntax;

/// <summary>Python's escapes in quoted text. An unknown escape keeps its backslash.</summary>
internal static class StringLiteral
{
    public static string Decode(string body, Func<string, ChatTemplateException> fail)
    {
        if (!body.Contains('\\', StringComparison.Ordinal))
        {
            return body;
        }

        var text = new StringBuilder(body.Length);
        for (var i = 0; i < body.Length; i++)
        {
            if (body[i] != '\\' || i + 1 == body.Length)
            {
                text.Append(body[i]);
                continue;
            }

            i++;
            switch (body[i])
            {
                case '\n':
                    break;
                case '\\' or '\'' or '"':
                    text.Append(body[i]);
                    break;
                case 'a':
                    text.Append('\a');
                    break;
                case 'b':
                    text.Append('\b');
                    break;
                case 'f':
                    text.Append('\f');
                    break;
                case 'n':
                    text.Append('\n');
                    break;
                case 'r':
                    text.Append('\r');
                    break;
                case 't':
                    text.Append('\t');
                    break;
                case 'v':
                    text.Append('\v');
                    break;
                case >= '0' and <= '7':
                    i += AppendOctal(text, body, i) - 1;
                    break;
                case 'x':
                    i += AppendHex(text, body, i + 1, 2, fail);
                    break;
                case 'u':
                    i += AppendHex(text, body, i + 1, 4, fail);
                    break;
                case 'U':
                    i += AppendHex(text, body, i + 1, 8, fail);
                    break;
                case 'N':
                    throw fail("characters by name (\\N) are not supported");
                default:
                    text.Append('\\').Append(body[i]);
                    break;
            }
        }

        return text.ToString();
    }

    private static int AppendOctal(StringBuilder text, string body, int start)
    {
        var (value, length) = (0, 0);
        while (length < 3 && start + length < body.Length && body[start + length] is >= '0' and <= '7')
        {
            value = (value * 8) + (body[start + length] - '0');
            length++;
        }

        text.Append((char)value);
        return length;
    }

    private static int AppendHex(StringBuilder text, string body, int start, int length, Func<string, ChatTemplateException> fail)
    {
        if (start + length > body.Length
            || !int.TryParse(body.AsSpan(start, length), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var value)
            || value is < 0 or > 0x10FFFF)
        {
            throw fail($"an escape needs {length} hexadecimal digits of a character");
        }

        if (value < 0x10000)
        {
            text.Append((char)value);
        }
        else
        {
            text.Append(char.ConvertFromUtf32(value));
        }

        return length;
    }
}
