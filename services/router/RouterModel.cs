using System.Collections.Frozen;
using System.Collections.Immutable;
using Parallax.Router.Generation;
using Parallax.Runtime.Models;
using Parallax.Runtime.Tokenization;

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

    /// <summary>The name that requests give.</summary>
    public string Id { get; }

    internal ITokenizer Tokenizer { get; }

    internal PromptEncoder Prompts { get; }

    internal GenerationDefaults Defaults { get; }

    internal FrozenSet<int> EosTokenIds { get; }

    internal DateTimeOffset Created { get; }

    internal ITextDecoder CreateDecoder(ImmutableArray<string> stops) => _decoders(stops);
}
