using System.Text;
using Parallax.Runtime.Tokenization;

namespace Parallax.ReferenceTests.Tokenization;

/// <summary>Helpers of the tokenizer tests.</summary>
internal static class Streaming
{
    /// <summary>The text that an incremental detokenizer makes of ids.</summary>
    public static string Decode(ITokenizer tokenizer, IEnumerable<int> ids, bool skipSpecial = true)
    {
        var detokenizer = new IncrementalDetokenizer(tokenizer, skipSpecial: skipSpecial);
        var text = new StringBuilder();
        foreach (var id in ids)
        {
            text.Append(detokenizer.Append(id));
        }

        return text.Append(detokenizer.Flush()).ToString();
    }
}
