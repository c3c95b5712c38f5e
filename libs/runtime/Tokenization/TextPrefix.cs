namespace Parallax.Runtime.Tokenization;

/// <summary>What a pre-tokenizer does to a text before it cuts it: marks spaces, puts a space in front.</summary>
/// <param name="Space">The character that stands for a space: a space or '▁'.</param>
/// <param name="When">Which texts get one in front; those that begin with one already never do.</param>
internal sealed record TextPrefix(char Space, TextPrefix.Scheme When)
{
    /// <summary>Which texts get a space in front.</summary>
    internal enum Scheme
    {
        /// <summary>None.</summary>
        Never,

        /// <summary>Only one at the very beginning of the input.</summary>
        First,

        /// <summary>The one at the beginning of the input, and each one after an added token.</summary>
        Always,
    }

    /// <summary>The changed text.</summary>
    /// <param name="text">A text without added tokens.</param>
    /// <param name="atStart">Whether the input begins with it.</param>
    public string Apply(string text, bool atStart)
    {
        text = Space == ' ' ? text : text.Replace(' ', Space);
        var wanted = When == Scheme.Always || (When == Scheme.First && atStart);
        return wanted && text.Length > 0 && text[0] != Space ? Space + text : text;
    }
}
