using Parallax.Runtime.Weights;

namespace Parallax.Runtime.Tokenization;

/// <summary>What the <c>tokenizer.*</c> metadata of a GGUF file says. A null is a key that the file lacks.</summary>
public sealed record GgufVocabulary
{
    /// <summary>The file, for messages.</summary>
    public required string File { get; init; }

    /// <summary><c>tokenizer.ggml.model</c>: <c>gpt2</c> (byte-level) or <c>llama</c> (SentencePiece).</summary>
    public required string Model { get; init; }

    /// <summary><c>tokenizer.ggml.pre</c>: the name of the patterns that cut the text.</summary>
    public string? Pre { get; init; }

    /// <summary><c>tokenizer.ggml.tokens</c>, by id.</summary>
    public required IReadOnlyList<string> Tokens { get; init; }

    /// <summary><c>tokenizer.ggml.scores</c>, by id; needed for <c>llama</c>.</summary>
    public IReadOnlyList<float>? Scores { get; init; }

    /// <summary><c>tokenizer.ggml.token_type</c>, by id.</summary>
    public IReadOnlyList<int>? TokenTypes { get; init; }

    /// <summary><c>tokenizer.ggml.merges</c>: two tokens with a space between; needed for <c>gpt2</c>.</summary>
    public IReadOnlyList<string>? Merges { get; init; }

    /// <summary><c>tokenizer.ggml.bos_token_id</c>.</summary>
    public int? BosId { get; init; }

    /// <summary><c>tokenizer.ggml.eos_token_id</c>.</summary>
    public int? EosId { get; init; }

    /// <summary><c>tokenizer.ggml.unknown_token_id</c>.</summary>
    public int? UnknownId { get; init; }

    /// <summary><c>tokenizer.ggml.padding_token_id</c>.</summary>
    public int? PaddingId { get; init; }

    /// <summary><c>tokenizer.ggml.add_bos_token</c>.</summary>
    public bool? AddBos { get; init; }

    /// <summary><c>tokenizer.ggml.add_eos_token</c>.</summary>
    public bool? AddEos { get; init; }

    /// <summary><c>tokenizer.ggml.add_space_prefix</c>.</summary>
    public bool? AddSpacePrefix { get; init; }

    /// <summary>Copies what a file's metadata says.</summary>
    /// <exception cref="ModelFormatException">A field is missing or of another type.</exception>
    public static GgufVocabulary FromMetadata(GgufMetadata metadata)
    {
        ArgumentNullException.ThrowIfNull(metadata);
        return new GgufVocabulary
        {
            File = metadata.File,
            Model = metadata["tokenizer.ggml.model"].AsText(),
            Pre = Find("pre")?.AsText(),
            Tokens = Texts(metadata["tokenizer.ggml.tokens"]),
            Scores = Find("scores")?.ToSingles(),
            TokenTypes = Find("token_type")?.ToInt32s(),
            Merges = Find("merges") is { } merges ? Texts(merges) : null,
            BosId = Id("bos_token_id"),
            EosId = Id("eos_token_id"),
            UnknownId = Id("unknown_token_id"),
            PaddingId = Id("padding_token_id"),
            AddBos = Find("add_bos_token")?.AsBoolean(),
            AddEos = Find("add_eos_token")?.AsBoolean(),
            AddSpacePrefix = Find("add_space_prefix")?.AsBoolean(),
        };

        GgufValue? Find(string key) => metadata.Find("tokenizer.ggml." + key);

        int? Id(string key) => Find(key)?.AsInteger() switch
        {
            null => null,
            >= 0 and <= int.MaxValue and var id => (int)id,
            var id => throw new ModelFormatException(metadata.File, $"is {id}, which is no token's id", "tokenizer.ggml." + key),
        };

        static string[] Texts(GgufValue value)
        {
            var texts = new string[value.Count];
            for (var i = 0; i < texts.Length; i++)
            {
                texts[i] = value.TextAt(i);
            }

            return texts;
        }
    }
}
