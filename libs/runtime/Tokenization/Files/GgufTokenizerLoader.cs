using System.Text;
using Parallax.Runtime.Tokenization.Normalization;
using Parallax.Runtime.Tokenization.Splitting;
using Parallax.Runtime.Weights;

namespace Parallax.Runtime.Tokenization.Files;

/// <summary>Makes a tokenizer from a GGUF file's metadata.</summary>
internal sealed class GgufTokenizerLoader
{
    private const string Key = "tokenizer.ggml.";
    private const int MaxVocabulary = 1 << 21; // eight times the largest known
    private const int MaxTokenBytes = 1 << 16;
    private const int MaxMergedBytes = 512; // all the ways to cut a SentencePiece token in two are tried

    private readonly GgufVocabulary _metadata;
    private readonly VocabularyBuilder _builder;
    private readonly bool _byteLevel;

    private GgufTokenizerLoader(GgufVocabulary metadata)
    {
        _byteLevel = metadata.Model == "gpt2";
        // SentencePiece files may leave the ids of their usual special tokens out.
        _metadata = _byteLevel
            ? metadata
            : metadata with
            {
                UnknownId = metadata.UnknownId ?? 0,
                BosId = metadata.BosId ?? 1,
                EosId = metadata.EosId ?? 2,
            };
        _builder = new VocabularyBuilder(metadata.File, _byteLevel);
    }

    /// <exception cref="ModelFormatException">Inconsistent, or something that is not supported.</exception>
    public static BpeTokenizer Load(GgufVocabulary metadata)
    {
        var loader = new GgufTokenizerLoader(metadata);
        return metadata.Model switch
        {
            "gpt2" => loader.LoadByteLevel(),
            "llama" => loader.LoadSentencePiece(),
            var other => throw loader.Error("model", $"the tokenizer '{other}' is not supported; gpt2 and llama are"),
        };
    }

    private BpeTokenizer LoadByteLevel()
    {
        var preTokenizer = GgufPreTokenizer.Of(_metadata.Pre) ?? throw Error(
            "pre", $"'{_metadata.Pre}' is not known; known are {string.Join(", ", GgufPreTokenizer.Names)}");
        AddTokens();
        var model = new BpeModel(_builder.Index, ReadMerges(), _builder.ByteTokens())
        {
            IsByteLevel = true,
            WholePieceToken = preTokenizer.IgnoreMerges ? id => !IsSpecial(id) : null,
            HasByteFallback = false,
            UnknownId = null,
            FuseUnknown = false,
        };
        return new BpeTokenizer(PartsOf(model, preTokenizer.AddBos) with
        {
            Stages = [.. preTokenizer.Patterns.Select(pattern => SplitStage.OfRegex(pattern, _metadata.File))],
            Normalizers = preTokenizer.Compose ? [new CanonicalNormalizer(compose: true)] : [],
        });
    }

    private BpeTokenizer LoadSentencePiece()
    {
        AddTokens();
        var model = new BpeModel(_builder.Index, MergesByScore(), _builder.ByteTokens())
        {
            IsByteLevel = false,
            WholePieceToken = null,
            HasByteFallback = true,
            UnknownId = _metadata.UnknownId,
            FuseUnknown = false,
        };
        var markSpaces = new ReplaceNormalizer(SplitStage.OfLiteral(" ", _metadata.File), "▁");
        var addSpace = _metadata.AddSpacePrefix ?? true;
        return new BpeTokenizer(PartsOf(model, addBos: true) with
        {
            Normalizers = addSpace ? [markSpaces, new PrependNormalizer("▁")] : [markSpaces],
            LeadingSpaces = addSpace ? 1 : 0,
        });
    }

    private TokenizerParts PartsOf(BpeModel model, bool addBos) => new()
    {
        File = _metadata.File,
        Index = _builder.Index,
        Decoded = _builder.BuildDecoded(),
        NamedTokens = _builder.NamedTokens,
        Model = model,
        AddedTokens = _builder.AddedTokens,
        Prefix = Around(_metadata.AddBos ?? addBos, _metadata.BosId, "bos"),
        Suffix = Around(_metadata.AddEos ?? false, _metadata.EosId, "eos"),
        BosToken = _metadata.BosId is { } bos ? _metadata.Tokens[bos] : null,
        EosToken = _metadata.EosId is { } eos ? _metadata.Tokens[eos] : null,
    };

    private int[] Around(bool add, int? id, string name) =>
        !add ? [] : id is { } token ? [token] : throw Error($"add_{name}_token", $"set, but there is no {Key}{name}_token_id");

    private void AddTokens()
    {
        // 1. The lists have one length, and ids lie within.
        var tokens = _metadata.Tokens;
        if (tokens.Count is 0 or > MaxVocabulary)
        {
            throw Error("tokens", $"{tokens.Count} tokens; 1 to {MaxVocabulary} are supported");
        }

        CheckCount(_metadata.TokenTypes?.Count, "token_type");
        CheckCount(_metadata.Scores?.Count, "scores");
        CheckId(_metadata.BosId, "bos_token_id");
        CheckId(_metadata.EosId, "eos_token_id");
        CheckId(_metadata.UnknownId, "unknown_token_id");
        CheckId(_metadata.PaddingId, "padding_token_id");

        // 2. All tokens, then those among them that are found in the text as they are.
        for (var id = 0; id < tokens.Count; id++)
        {
            var token = Encoding.UTF8.GetBytes(tokens[id]);
            if (token.Length > MaxTokenBytes)
            {
                throw Error($"tokens[{id}]", $"a token of {token.Length:N0} bytes; at most {MaxTokenBytes:N0} are read");
            }

            _builder.Add(token, id, TypeOf(id) == GgufTokenType.Byte ? ByteOf : TextOf, Key + "tokens");
        }

        _builder.EndVocabulary(allowDuplicates: true, Key + "tokens");
        for (var id = 0; id < tokens.Count; id++)
        {
            if (tokens[id].Length > 0 && (IsSpecial(id) || TypeOf(id) == GgufTokenType.UserDefined))
            {
                _builder.AddAdded(new AddedToken(id, tokens[id], IsSpecial(id)), TextOf, $"{Key}tokens[{id}]");
            }
        }
    }

    private MergeTable ReadMerges()
    {
        var lines = _metadata.Merges ?? throw Error("merges", "missing");
        var merges = new List<(int, int, int)>(lines.Count);
        for (var i = 0; i < lines.Count; i++)
        {
            var line = Encoding.UTF8.GetBytes(lines[i]).AsSpan();
            var space = line.Length < 3 ? -1 : line[1..].IndexOf((byte)' ') + 1;
            if (space < 1 || space == line.Length - 1)
            {
                throw Error($"merges[{i}]", $"'{TokenizerJson.Show(line)}' is not two tokens with a space between");
            }

            var left = _builder.Find(line[..space]);
            var right = _builder.Find(line[(space + 1)..]);
            var merged = left < 0 || right < 0 ? -1 : _builder.FindMerged(left, right);
            if (merged < 0)
            {
                throw Error($"merges[{i}]", $"'{TokenizerJson.Show(line)}' names a token that the vocabulary lacks");
            }

            merges.Add((left, right, merged));
        }

        return MergeTable.Create(merges);
    }

    /// <summary>
    /// SentencePiece has no list of merges: two neighbours merge when their text together is a token, the one of the
    /// highest score first.
    /// </summary>
    private MergeTable MergesByScore()
    {
        var scores = _metadata.Scores ?? throw Error("scores", "missing");
        var order = Enumerable.Range(0, _metadata.Tokens.Count).Where(IsMergeable).ToArray();
        if (order.FirstOrDefault(id => float.IsNaN(scores[id]), -1) is var bad and >= 0)
        {
            throw Error($"scores[{bad}]", "not a number");
        }

        order = [.. order.OrderByDescending(id => scores[id])];
        var merges = new List<(int, int, int)>();
        var priorities = new List<int>();
        var priority = 0;
        for (var i = 0; i < order.Length; i++)
        {
            priority += i > 0 && scores[order[i]] < scores[order[i - 1]] ? 1 : 0;
            AddCuts(order[i], priority);
        }

        return MergeTable.Create(merges, [.. priorities]);

        void AddCuts(int id, int rank)
        {
            var token = Encoding.UTF8.GetBytes(_metadata.Tokens[id]).AsSpan();
            if (token.Length > MaxMergedBytes)
            {
                throw Error($"tokens[{id}]", $"a token of {token.Length} bytes; at most {MaxMergedBytes} are supported");
            }

            if (_builder.Index.Find(token) != id)
            {
                return; // a second token of the same text
            }

            for (var cut = 1; cut < token.Length; cut++)
            {
                var isBoundary = (token[cut] & 0xC0) != 0x80;
                if (isBoundary
                    && _builder.Index.Find(token[..cut]) is var left and >= 0 && IsMergeable(left)
                    && _builder.Index.Find(token[cut..]) is var right and >= 0 && IsMergeable(right))
                {
                    merges.Add((left, right, id));
                    priorities.Add(rank);
                }
            }
        }
    }

    private GgufTokenType TypeOf(int id) => (GgufTokenType)(_metadata.TokenTypes?[id] ?? (int)GgufTokenType.Normal);

    private bool IsSpecial(int id) =>
        TypeOf(id) is GgufTokenType.Control or GgufTokenType.Unknown || id == _metadata.BosId || id == _metadata.EosId;

    private bool IsMergeable(int id) =>
        TypeOf(id) is GgufTokenType.Normal or GgufTokenType.UserDefined or GgufTokenType.Undefined && !IsSpecial(id);

    private byte[] ByteOf(ReadOnlySpan<byte> token) => VocabularyBuilder.ByteToken(token) is var value and >= 0
        ? [(byte)value]
        : throw Error("tokens", $"'{TokenizerJson.Show(token)}' is typed as a byte but not written like '<0x0A>'");

    private static byte[] TextOf(ReadOnlySpan<byte> token) =>
        Encoding.UTF8.GetBytes(Encoding.UTF8.GetString(token).Replace('▁', ' '));

    private void CheckCount(int? count, string key)
    {
        if (count is { } given && given != _metadata.Tokens.Count)
        {
            throw Error(key, $"{given} entries for {_metadata.Tokens.Count} tokens");
        }
    }

    private void CheckId(int? id, string key)
    {
        if (id is { } given && (uint)given >= (uint)_metadata.Tokens.Count)
        {
            throw Error(key, $"{given} is outside the vocabulary of {_metadata.Tokens.Count}");
        }
    }

    private ModelFormatException Error(string key, string problem) => new(_metadata.File, problem, Key + key);
}
