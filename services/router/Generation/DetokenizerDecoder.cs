using System.Collections.Immutable;
using Parallax.Runtime.Tokenization;

namespace Parallax.Router.Generation;

/// <summary>The runtime's incremental detokenizer as the answer reader wants it.</summary>
internal sealed class DetokenizerDecoder(ITokenizer tokenizer, ImmutableArray<string> stops) : ITextDecoder
{
    private readonly IncrementalDetokenizer _detokenizer = new(tokenizer, stops);

    public string Push(int id, out bool stopped)
    {
        var text = _detokenizer.Append(id).ToString();
        stopped = _detokenizer.StopString is not null;
        return text;
    }

    public string Finish() => _detokenizer.Flush().ToString();
}
