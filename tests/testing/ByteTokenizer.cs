using System.Text;
using Parallax.Runtime.Tokenization;

namespace Parallax.Testing;

/// <summary>
/// A tokenizer for tests: a byte is a token, and two special tokens, &lt;|begin|&gt; (256) and &lt;|end|&gt; (257).
/// </summary>
public sealed class ByteTokenizer : ITokenizer
{
    public const int Begin = 256;
    public const int End = 257;

    private static readonly byte[][] Bytes =
    [
        .. Enumerable.Range(0, 256).Select(static b => new[] { (byte)b }),
        "<|begin|>"u8.ToArray(),
        "<|end|>"u8.ToArray(),
    ];

    public int VocabularySize => 258;

    public int LeadingSpaces => 0;

    public string? BosToken => "<|begin|>";

    public string? EosToken => "<|end|>";

    public IReadOnlyList<int> Encode(string text, bool parseSpecial, bool addSpecial)
    {
        var ids = new List<int>();
        if (addSpecial)
        {
            ids.Add(Begin);
        }

        for (var i = 0; i < text.Length;)
        {
            if (parseSpecial && text.AsSpan(i).StartsWith("<|begin|>"))
            {
                ids.Add(Begin);
                i += "<|begin|>".Length;
            }
            else if (parseSpecial && text.AsSpan(i).StartsWith("<|end|>"))
            {
                ids.Add(End);
                i += "<|end|>".Length;
            }
            else
            {
                var length = char.IsHighSurrogate(text[i]) && i + 1 < text.Length ? 2 : 1;
                ids.AddRange(Encoding.UTF8.GetBytes(text.Substring(i, length)).Select(static b => (int)b));
                i += length;
            }
        }

        return ids;
    }

    public ReadOnlySpan<byte> TokenBytes(int id, bool skipSpecial = true) =>
        id < 0 || id >= VocabularySize || (skipSpecial && IsSpecial(id)) ? default : Bytes[id];

    public string Decode(IReadOnlyList<int> ids, bool skipSpecial = true) =>
        Encoding.UTF8.GetString([.. ids.SelectMany(id => TokenBytes(id, skipSpecial).ToArray())]);

    public bool IsSpecial(int id) => id is Begin or End;

    public int? TokenId(string content) => content switch
    {
        "<|begin|>" => Begin,
        "<|end|>" => End,
        { Length: 1 } when content[0] < 128 => content[0],
        _ => null,
    };
}
