using Parallax.Runtime.Models;
using Parallax.Runtime.Tokenization;

namespace Parallax.Cli.Chaos;

/// <summary>The tokenizer of a model, for prompts of a length.</summary>
internal static class ModelTokenizer
{
    /// <summary>Loads it.</summary>
    public static ITokenizer Load(string model)
    {
        using var source = ModelSource.Open(model);
        return source.Metadata is { } metadata
            ? TokenizerLoader.FromVocabulary(GgufVocabulary.FromMetadata(metadata))
            : TokenizerLoader.FromFolder(model);
    }
}
