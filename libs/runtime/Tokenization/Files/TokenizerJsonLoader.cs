using System.Text;
using System.Text.Json;
using Parallax.Runtime.Weights;

namespace Parallax.Runtime.Tokenization.Files;

/// <summary>Makes a tokenizer from a folder with a tokenizer.json.</summary>
internal sealed class TokenizerJsonLoader
{
    private readonly TokenizerJson _json;
    private readonly TokenizerConfig _config;
    private readonly PreTokenizerReader _preTokenizer = new();
    private readonly DecoderReader _decoder = new();

    private TokenizerJsonLoader(string folder)
    {
        _json = TokenizerJson.Read(Path.Combine(folder, "tokenizer.json"));
        _config = TokenizerConfig.Read(folder);
    }

    /// <exception cref="ModelFormatException">A file is missing, malformed, or asks for what is not supported.</exception>
    public static BpeTokenizer Load(string folder) => new TokenizerJsonLoader(folder).Load();

    private BpeTokenizer Load()
    {
        // 1. What the tokens' texts mean.
        CheckModel();
        ReadPreTokenizerAndDecoder();

        // 2. Vocabulary, then merges, which name tokens, then added tokens, which may be in the vocabulary.
        var byteLevel = _preTokenizer.IsByteLevel;
        var vocabulary = new VocabularyBuilder(_json.File, byteLevel);
        Func<ReadOnlySpan<byte>, byte[]> decode = _decoder.Decode;
        _json.ReadVocabulary((token, id) => vocabulary.Add(token, id, decode, "model.vocab"));
        vocabulary.EndVocabulary(allowDuplicates: false, "model.vocab");
        var merges = ReadMerges(vocabulary);
        AddAddedTokens(vocabulary, decode);

        // 3. The tokens around a text, and everything put together.
        var decoded = vocabulary.BuildDecoded();
        var added = vocabulary.AddedTokens;
        var special = added.Where(token => token.Special).Select(token => token.Id).ToHashSet();
        var around = ReadPostProcessor(vocabulary, decoded.Size);
        return new BpeTokenizer(new TokenizerParts
        {
            File = _json.File,
            Index = vocabulary.Index,
            Decoded = decoded,
            NamedTokens = vocabulary.NamedTokens,
            AddedTokens = added,
            Normalizers = NormalizerReader.Read(_json.Section("normalizer")),
            TextPrefix = _preTokenizer.TextPrefix,
            Stages = _preTokenizer.Stages,
            Prefix = around.Prefix,
            Suffix = around.Suffix,
            LeadingSpaces = _decoder.LeadingSpaces,
            BosToken = _config.Token("bos_token")?.Content,
            EosToken = _config.Token("eos_token")?.Content,
            Model = new BpeModel(vocabulary.Index, merges, vocabulary.ByteTokens())
            {
                IsByteLevel = byteLevel,
                WholePieceToken = _json.ModelFlag("ignore_merges") ? id => !special.Contains(id) : null,
                HasByteFallback = _json.ModelFlag("byte_fallback"),
                UnknownId = UnknownId(vocabulary),
                FuseUnknown = _json.ModelFlag("fuse_unk"),
            },
        });
    }

    private void CheckModel()
    {
        if (_json.ModelField("type") is { } type && type.AsString() != "BPE")
        {
            throw type.Error($"the model type '{type.AsString()}' is not supported; only BPE is");
        }

        if (_json.ModelField("dropout") is { } dropout
            && !(dropout.Element.ValueKind == JsonValueKind.Number && dropout.Element.TryGetDouble(out var rate) && rate == 0))
        {
            throw dropout.Error("dropout is not supported");
        }

        foreach (var name in (ReadOnlySpan<string>)["continuing_subword_prefix", "end_of_word_suffix"])
        {
            if (_json.ModelField(name) is { } affix && affix.AsString().Length > 0)
            {
                throw affix.Error($"'{affix.AsString()}': only the empty one is supported");
            }
        }
    }

    private void ReadPreTokenizerAndDecoder()
    {
        if (_json.Section("pre_tokenizer") is { } preTokenizer)
        {
            _preTokenizer.Read(preTokenizer);
        }

        var decoder = _json.Section("decoder") ?? throw new ModelFormatException(_json.File, "missing", "decoder");
        _decoder.Read(decoder);
        if (_decoder.IsByteLevel != _preTokenizer.IsByteLevel
            || (_decoder.IsByteLevel && (_decoder.HasByteTokens || _decoder.LeadingSpaces > 0)))
        {
            throw decoder.Error("decoder and pre-tokenizer do not agree on how tokens are written");
        }
    }

    private MergeTable ReadMerges(VocabularyBuilder vocabulary)
    {
        var merges = new List<(int, int, int)>();
        _json.ReadMerges((left, right, index) =>
        {
            var leftId = vocabulary.Find(left);
            var rightId = vocabulary.Find(right);
            var merged = leftId < 0 || rightId < 0 ? -1 : vocabulary.FindMerged(leftId, rightId);
            if (merged < 0)
            {
                throw new ModelFormatException(
                    _json.File,
                    $"the merge of '{TokenizerJson.Show(left)}' and '{TokenizerJson.Show(right)}' names a token that the vocabulary lacks",
                    $"model.merges[{index}]");
            }

            merges.Add((leftId, rightId, merged));
        });
        return MergeTable.Create(merges);
    }

    private void AddAddedTokens(VocabularyBuilder vocabulary, Func<ReadOnlySpan<byte>, byte[]> decode)
    {
        if (_json.Section("added_tokens") is { } list)
        {
            foreach (var item in list.Items())
            {
                Add(item, item.Required("id").AsInt(), isOwnFile: true);
            }
        }

        // Older tokenizer.json files lack tokens that only tokenizer_config.json lists.
        foreach (var (item, id) in _config.AddedTokens())
        {
            Add(item, id, isOwnFile: false);
        }

        // The begin and end tokens are special, listed or not.
        foreach (var name in (ReadOnlySpan<string>)["bos_token", "eos_token"])
        {
            if (_config.Token(name) is var (field, content) && !vocabulary.HasAdded(content)
                && vocabulary.FindText(content) is var id and >= 0)
            {
                vocabulary.AddAdded(new AddedToken(id, content, Special: true), decode, field.Path);
            }
        }

        void Add(JsonField item, int id, bool isOwnFile)
        {
            var content = item.Required("content").AsString();
            if (!isOwnFile && vocabulary.HasAdded(content))
            {
                return;
            }

            _json.CheckId(id, Encoding.UTF8.GetBytes(content), item.Path);
            vocabulary.AddAdded(
                new AddedToken(
                    id,
                    content,
                    Special: item.Flag("special"),
                    Normalized: item.Flag("normalized"),
                    SingleWord: item.Flag("single_word"),
                    StripLeft: item.Flag("lstrip"),
                    StripRight: item.Flag("rstrip")),
                decode,
                item.Path);
        }
    }

    private PostProcessorReader ReadPostProcessor(VocabularyBuilder vocabulary, int vocabularySize)
    {
        var around = new PostProcessorReader();
        if (_json.Section("post_processor") is { } section)
        {
            around.Read(section, vocabularySize);
        }

        // tokenizer_config.json has the last word, as in the tool that writes both files.
        Apply(_config.AddBos, "bos_token", around.Prefix, first: true);
        Apply(_config.AddEos, "eos_token", around.Suffix, first: false);
        return around;

        void Apply(bool? wanted, string name, List<int> ids, bool first)
        {
            if (wanted is not { } add)
            {
                return;
            }

            var token = _config.Token(name);
            var id = token is var (_, content) ? vocabulary.FindText(content) : -1;
            if (add && id < 0)
            {
                throw new ModelFormatException(
                    _json.File, $"add_{name} is set, but there is no {name} in the vocabulary", $"add_{name}");
            }

            if (!add)
            {
                ids.RemoveAll(present => present == id);
            }
            else if (!ids.Contains(id))
            {
                ids.Insert(first ? 0 : ids.Count, id);
            }
        }
    }

    private int? UnknownId(VocabularyBuilder vocabulary)
    {
        if (_json.ModelField("unk_token") is not { } field)
        {
            return null;
        }

        var id = vocabulary.FindText(field.AsString());
        return id >= 0 ? id : throw field.Error($"the vocabulary lacks '{field.AsString()}'");
    }
}
