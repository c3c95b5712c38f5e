using System.Text;
using Parallax.Runtime.Tokenization.Splitting;

namespace Parallax.Runtime.Tokenization.Normalization;

/// <summary>Replaces what a pattern matches.</summary>
/// <param name="pattern">The pattern, with <see cref="SplitBehavior.Isolated"/>.</param>
/// <param name="content">What takes a match's place, as it is.</param>
internal sealed class ReplaceNormalizer(SplitStage pattern, string content) : ITextNormalizer
{
    public string Normalize(string text)
    {
        var result = new StringBuilder(text.Length + content.Length);
        var pieces = pattern.Split(text);
        while (pieces.MoveNext())
        {
            if (pieces.IsMatch)
            {
                result.Append(content);
            }
            else
            {
                result.Append(text.AsSpan(pieces.Current));
            }
        }

        return result.ToString();
    }
}
