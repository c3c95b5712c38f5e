using System.Collections.Frozen;
using System.Collections.Immutable;
using Parallax.Router.Generation;
using Parallax.Runtime.ChatTemplates;
using Parallax.Runtime.Models;
using Parallax.Runtime.Tokenization;
using Parallax.Runtime.Weights;

namespace Parallax.Router;

/// <summary>
/// The model as the router needs it: its name, tokenizer and chat template; no weights. Thread-safe.
/// </summary>
public sealed class RouterModel
{
    private readonly Func<ImmutableArray<string>, ITextDecoder> _decoders;

    internal RouterModel(
        string id,
        ITokenizer tokenizer,
        PromptEncoder prompts,
        Func<ImmutableArray<string>, ITextDecoder> decoders,
        GenerationDefaults defaults,
        DateTimeOffset created)
    {
        Id = id;
        Tokenizer = tokenizer;
        Prompts = prompts;
        Defaults = defaults;
        EosTokenIds = defaults.EosTokenIds.ToFrozenSet();
        Created = created;
        _decoders = decoders;
    }

    /// <summary>Opens a model's tokenizer and chat template; weights are not read.</summary>
    /// <param name="path">A model folder or a .gguf file.</param>
    /// <exception cref="ModelFormatException">The model cannot be read, or has no chat template.</exception>
    /// <exception cref="ChatTemplateException">Its chat template is invalid.</exception>
    public static RouterModel Load(string path)
    {
        using var source = ModelSource.Open(path);
        if (source.ChatTemplate is not { } template)
        {
            throw new ModelFormatException(path, "the model has no chat template, which chat completions need");
        }

        var tokenizer = source.Metadata is { } metadata
            ? TokenizerLoader.FromVocabulary(GgufVocabulary.FromMetadata(metadata))
            : TokenizerLoader.FromFolder(path);
        var renderer = new ChatTemplateRenderer(template, source.DisplayName, tokenizer);
        return new RouterModel(
            source.DisplayName,
            tokenizer,
            new PromptEncoder(tokenizer, renderer),
            stops => new DetokenizerDecoder(tokenizer, stops),
            source.Generation,
            Directory.Exists(path) ? Directory.GetLastWriteTimeUtc(path) : File.GetLastWriteTimeUtc(path));
    }

    /// <summary>The name that requests give.</summary>
    public string Id { get; }

    internal ITokenizer Tokenizer { get; }

    internal PromptEncoder Prompts { get; }

    internal GenerationDefaults Defaults { get; }

    internal FrozenSet<int> EosTokenIds { get; }

    internal DateTimeOffset Created { get; }

    internal ITextDecoder CreateDecoder(ImmutableArray<string> stops) => _decoders(stops);
}
