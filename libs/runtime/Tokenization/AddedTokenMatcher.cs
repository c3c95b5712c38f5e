using System.Buffers;
using System.Text;

namespace Parallax.Runtime.Tokenization;

/// <summary>Finds added tokens in a text: leftmost first, of those that begin together the longest.</summary>
internal sealed class AddedTokenMatcher
{
    /// <summary>The longest content: a text of n characters is searched in at most n times this many steps.</summary>
    public const int MaxContentLength = 512;

    private readonly Dictionary<(int Node, char Next), int> _edges = [];
    private readonly List<AddedToken?> _nodes = [null];
    private readonly SearchValues<char> _firstChars;

    /// <param name="tokens">The tokens; of equal contents the first counts.</param>
    /// <param name="contentOf">The text that a token is looked for by.</param>
    public AddedTokenMatcher(IEnumerable<AddedToken> tokens, Func<AddedToken, string> contentOf)
    {
        var first = new HashSet<char>();
        foreach (var token in tokens)
        {
            var content = contentOf(token);
            if (content.Length == 0)
            {
                continue;
            }

            first.Add(content[0]);
            var node = 0;
            foreach (var c in content)
            {
                if (!_edges.TryGetValue((node, c), out var next))
                {
                    next = _nodes.Count;
                    _nodes.Add(null);
                    _edges.Add((node, c), next);
                }

                node = next;
            }

            _nodes[node] ??= token;
        }

        _firstChars = SearchValues.Create(first.ToArray());
        IsEmpty = first.Count == 0;
    }

    /// <summary>Whether there is nothing to find.</summary>
    public bool IsEmpty { get; }

    /// <summary>
    /// Finds the next token.
    /// </summary>
    /// <param name="text">The whole text.</param>
    /// <param name="from">Where the text that no token has taken yet begins.</param>
    /// <param name="start">Where the found token begins, with the white space that it takes along.</param>
    /// <param name="end">Where it ends.</param>
    /// <returns>The token, or null when there is none.</returns>
    public AddedToken? Next(ReadOnlySpan<char> text, int from, out int start, out int end)
    {
        start = from;
        while (!IsEmpty)
        {
            var offset = text[start..].IndexOfAny(_firstChars);
            if (offset < 0)
            {
                break;
            }

            start += offset;
            if (LongestAt(text, start, out end) is not { } token)
            {
                start++;
            }
            else if (token.SingleWord && (EndsWithWord(text[..start]) || StartsWithWord(text[end..])))
            {
                start = end;
            }
            else
            {
                start = token.StripLeft ? from + text[from..start].TrimEnd().Length : start;
                end = token.StripRight ? text.Length - text[end..].TrimStart().Length : end;
                return token;
            }
        }

        start = end = text.Length;
        return null;
    }

    private AddedToken? LongestAt(ReadOnlySpan<char> text, int start, out int end)
    {
        AddedToken? longest = null;
        end = start;
        var node = 0;
        for (var at = start; at < text.Length && _edges.TryGetValue((node, text[at]), out node); at++)
        {
            if (_nodes[node] is { } token)
            {
                longest = token;
                end = at + 1;
            }
        }

        return longest;
    }

    private static bool EndsWithWord(ReadOnlySpan<char> text) =>
        Rune.DecodeLastFromUtf16(text, out var rune, out _) == OperationStatus.Done && IsWord(rune);

    private static bool StartsWithWord(ReadOnlySpan<char> text) =>
        Rune.DecodeFromUtf16(text, out var rune, out _) == OperationStatus.Done && IsWord(rune);

    private static bool IsWord(Rune rune) => Splitting.UnicodeSets.Word.Contains(rune.Value);
}
