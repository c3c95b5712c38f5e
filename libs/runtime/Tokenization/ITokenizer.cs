namespace Parallax.Runtime.Tokenization;

/// <summary>Text to token ids and back. Thread-safe after construction.</summary>
public interface ITokenizer
{
    /// <summary>One more than the largest id.</summary>
    int VocabularySize { get; }

    /// <summary>
    /// Encodes text. Special tokens in it are recognised only when <paramref name="parseSpecial"/> is set (rendered
    /// chat templates); otherwise their text is ordinary text (what a user typed).
    /// </summary>
    /// <param name="text">The text.</param>
    /// <param name="parseSpecial">Whether special tokens in the text become their ids.</param>
    /// <param name="addSpecial">Whether the tokenizer's own begin/end tokens are added as its files say.</param>
    IReadOnlyList<int> Encode(string text, bool parseSpecial, bool addSpecial);

    /// <summary>
    /// The bytes that a token contributes to the decoded text (UTF-8, perhaps a part of a character). Empty for
    /// special tokens when <paramref name="skipSpecial"/>, and for ids outside the vocabulary.
    /// </summary>
    ReadOnlySpan<byte> TokenBytes(int id, bool skipSpecial = true);

    /// <summary>
    /// How many spaces a decoded text loses at its start: SentencePiece vocabularies mark the first word with a space
    /// that the text did not have. 0 for byte-level vocabularies.
    /// </summary>
    int LeadingSpaces => 0;

    /// <summary>Decodes ids to text, invalid UTF-8 replaced by U+FFFD.</summary>
    string Decode(IReadOnlyList<int> ids, bool skipSpecial = true);

    /// <summary>Whether the id is a special (control) token.</summary>
    bool IsSpecial(int id);

    /// <summary>The id of a token by its exact content (special tokens included), or null.</summary>
    int? TokenId(string content);

    /// <summary>The begin-of-sequence token's text, as chat templates see it; null if none.</summary>
    string? BosToken { get; }

    /// <summary>The end-of-sequence token's text, as chat templates see it; null if none.</summary>
    string? EosToken { get; }
}
