using Parallax.Runtime.Tokenization.Files;
using Parallax.Runtime.Weights;

namespace Parallax.Runtime.Tokenization;

/// <summary>Makes tokenizers from model files.</summary>
public static class TokenizerLoader
{
    /// <summary>
    /// Reads a folder's tokenizer.json, with tokenizer_config.json and special_tokens_map.json if they are there.
    /// </summary>
    /// <param name="folder">The model's folder.</param>
    /// <exception cref="ModelFormatException">
    /// A file is missing, cut short or malformed, or it asks for a component that is not supported; the message names
    /// file and field.
    /// </exception>
    public static ITokenizer FromFolder(string folder)
    {
        ArgumentNullException.ThrowIfNull(folder);
        return TokenizerJsonLoader.Load(folder);
    }

    /// <summary>Makes the tokenizer that a GGUF file's metadata describes.</summary>
    /// <param name="vocabulary">The metadata.</param>
    /// <exception cref="ModelFormatException">
    /// The metadata is inconsistent, or names a tokenizer or pre-tokenizer that is not supported.
    /// </exception>
    public static ITokenizer FromVocabulary(GgufVocabulary vocabulary)
    {
        ArgumentNullException.ThrowIfNull(vocabulary);
        return GgufTokenizerLoader.Load(vocabulary);
    }
}
