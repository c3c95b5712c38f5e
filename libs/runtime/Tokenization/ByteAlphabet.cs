namespace Parallax.Runtime.Tokenization;

/// <summary>
/// The alphabet in which byte-level vocabularies are written: one printable character for each byte. Bytes that are
/// printable in Latin-1 stand for themselves, the others for U+0100 onwards in order.
/// </summary>
internal static class ByteAlphabet
{
    private static readonly char[] Chars = BuildChars();
    private static readonly short[] Bytes = BuildBytes();

    /// <summary>The byte that a character stands for, or -1.</summary>
    public static int ByteOf(int character) => (uint)character < (uint)Bytes.Length ? Bytes[character] : -1;

    /// <summary>The character that stands for a byte.</summary>
    public static char CharOf(byte value) => Chars[value];

    /// <summary>
    /// Turns a token of the vocabulary into the bytes it stands for.
    /// </summary>
    /// <param name="token">The token's UTF-8.</param>
    /// <param name="bytes">At least as long as <paramref name="token"/>.</param>
    /// <returns>The number of bytes, or -1 if the token has a character outside the alphabet.</returns>
    public static int Decode(ReadOnlySpan<byte> token, Span<byte> bytes)
    {
        var count = 0;
        for (var i = 0; i < token.Length; i++)
        {
            int point = token[i];
            if (point >= 0x80)
            {
                if (point is < 0xC0 or >= 0xE0 || ++i == token.Length)
                {
                    return -1; // the alphabet has no character of three or four bytes
                }

                point = ((point & 0x1F) << 6) | (token[i] & 0x3F);
            }

            var value = ByteOf(point);
            if (value < 0)
            {
                return -1;
            }

            bytes[count++] = (byte)value;
        }

        return count;
    }

    private static bool IsPrintable(int value) => value is (>= '!' and <= '~') or (>= 0xA1 and <= 0xAC) or (>= 0xAE and <= 0xFF);

    private static char[] BuildChars()
    {
        var chars = new char[256];
        var next = 0x100;
        for (var value = 0; value < chars.Length; value++)
        {
            chars[value] = (char)(IsPrintable(value) ? value : next++);
        }

        return chars;
    }

    private static short[] BuildBytes()
    {
        var bytes = new short[0x180];
        Array.Fill(bytes, (short)-1);
        for (var value = 0; value < Chars.Length; value++)
        {
            bytes[Chars[value]] = (short)value;
        }

        return bytes;
    }
}
