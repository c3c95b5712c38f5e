using System.Runtime.InteropServices;

namespace Parallax.Runtime.Sampling;

/// <summary>
/// What penalties need to know of a session's tokens: which ids its prompt and answer contain, and how often the answer
/// contains each. A pure function of the token ids; the order of the prompt does not matter. Not thread-safe.
/// </summary>
public sealed class TokenHistory
{
    private readonly Dictionary<int, int> _answerCounts = [];

    /// <summary>An empty history.</summary>
    public TokenHistory()
    {
    }

    /// <summary>The history of a prompt and the answer so far.</summary>
    public TokenHistory(ReadOnlySpan<int> prompt, ReadOnlySpan<int> answer) => Rebuild(prompt, answer);

    /// <summary>Different ids seen.</summary>
    public int Count => _answerCounts.Count;

    /// <summary>The ids of prompt and answer, each once, with how often the answer has them. In no particular order.</summary>
    internal Dictionary<int, int> AnswerCounts => _answerCounts;

    /// <summary>Notes a token of the answer.</summary>
    public void Append(int tokenId) => CollectionsMarshal.GetValueRefOrAddDefault(_answerCounts, tokenId, out _)++;

    /// <summary>Replaces all that is known, for example when a session falls back to an earlier token.</summary>
    public void Rebuild(ReadOnlySpan<int> prompt, ReadOnlySpan<int> answer)
    {
        _answerCounts.Clear();
        foreach (var id in prompt)
        {
            _answerCounts.TryAdd(id, 0);
        }

        foreach (var id in answer)
        {
            Append(id);
        }
    }
}
