using System.Buffers.Text;
using System.Diagnostics.CodeAnalysis;

namespace Parallax.Router.Api.Ids;

/// <summary>base64url of a known number of bytes, which is a multiple of 3: one text for each value and nothing else.</summary>
internal static class FixedBase64
{
    public static bool TryDecode(ReadOnlySpan<char> text, int length, [NotNullWhen(true)] out byte[]? bytes)
    {
        bytes = null;
        if (text.Length != length / 3 * 4)
        {
            return false;
        }

        foreach (var c in text)
        {
            if (!char.IsAsciiLetterOrDigit(c) && c is not ('-' or '_'))
            {
                return false; // the decoder would skip white space
            }
        }

        bytes = Base64Url.DecodeFromChars(text);
        return true;
    }
}
