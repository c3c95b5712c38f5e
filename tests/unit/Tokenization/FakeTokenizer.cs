using System.Text;
using Parallax.Runtime.Tokenization;

namespace Parallax.UnitTests.Tokenization;

/// <summary>A tokenizer whose ids stand for given bytes; it only decodes.</summary>
internal sealed class FakeTokenizer(IReadOnlyList<byte[]> tokens, int leadingSpaces = 0, IReadOnlySet<int>? special = null) : ITokenizer
{
    public int VocabularySize => tokens.Count;

    public int LeadingSpaces => leadingSpaces;

    public string? BosToken => null;

    public string? EosToken => null;

    public static FakeTokenizer Of(params string[] texts) => new([.. texts.Select(Encoding.UTF8.GetBytes)]);

    public IReadOnlyList<int> Encode(string text, bool parseSpecial, bool addSpecial) =>
        throw new NotSupportedException("this fake only decodes");

    public ReadOnlySpan<byte> TokenBytes(int id, bool skipSpecial = true) =>
        (uint)id >= (uint)tokens.Count || (skipSpecial && IsSpecial(id)) ? default : tokens[id];

    public string Decode(IReadOnlyList<int> ids, bool skipSpecial = true)
    {
        var text = ids.SelectMany(id => TokenBytes(id, skipSpecial).ToArray()).ToArray();
        var spaces = text.TakeWhile((value, index) => value == ' ' && index < leadingSpaces).Count();
        return Encoding.UTF8.GetString(text, spaces, text.Length - spaces);
    }

    public bool IsSpecial(int id) => special?.Contains(id) ?? false;

    public int? TokenId(string content) => null;
}
