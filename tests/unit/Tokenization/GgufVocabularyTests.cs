using Parallax.Runtime.Tokenization;
using Parallax.Runtime.Weights;

namespace Parallax.UnitTests.Tokenization;

public sealed class GgufVocabularyTests
{
    private static readonly GgufVocabulary SentencePiece = new()
    {
        File = "model.gguf",
        Model = "llama",
        Tokens = ["<unk>", "<s>", "</s>", "<0xC3>", "<0xA9>", "▁", "a", "aa", "▁a", "b", "<tool>"],
        TokenTypes = [2, 3, 3, 6, 6, 1, 1, 1, 1, 1, 4],
        Scores = [0, 0, 0, 0, 0, -5, -5, -1, -2, -5, 0],
        BosId = 1,
        EosId = 2,
        UnknownId = 0,
    };

    private static readonly GgufVocabulary ByteLevel = new()
    {
        File = "model.gguf",
        Model = "gpt2",
        Pre = "gpt-2",
        Tokens = ["<|end|>", "a", "b", "Ġ", "ab", "Ġab", "1", "2", "12"],
        TokenTypes = [3, 1, 1, 1, 1, 1, 1, 1, 1],
        Merges = ["a b", "Ġ ab", "1 2"],
        EosId = 0,
    };

    [Fact]
    public void FromVocabulary_SentencePiece_MergesByScore()
    {
        var tokenizer = TokenizerLoader.FromVocabulary(SentencePiece);
        Assert.Equal([1, 8], tokenizer.Encode("a", parseSpecial: false, addSpecial: true)); // a begin token unless told otherwise
        Assert.Equal([5, 7], Plain(tokenizer, "aa")); // 'aa' scores above '▁a'
        Assert.Equal([5, 7, 6], Plain(tokenizer, "aaa")); // and of equals the left one goes first
        Assert.Equal([5, 3, 4], Plain(tokenizer, "é"));
        Assert.Equal([5, 0, 9], Plain(tokenizer, "xb")); // no byte token for it
        Assert.Equal([8, 10, 8], Plain(tokenizer, "a<tool>a"));
        Assert.Equal("aé", tokenizer.Decode([1, 8, 3, 4]));
        Assert.Equal("<s>", tokenizer.BosToken);
    }

    [Fact]
    public void FromVocabulary_EqualScores_MergesTheLeftOne()
    {
        var tokenizer = TokenizerLoader.FromVocabulary(SentencePiece with
        {
            Tokens = ["<unk>", "<s>", "</s>", "a", "b", "c", "bc", "ab"],
            TokenTypes = [2, 3, 3, 1, 1, 1, 1, 1],
            Scores = [0, 0, 0, -9, -9, -9, -1, -1],
            AddSpacePrefix = false,
        });
        Assert.Equal([7, 5], Plain(tokenizer, "abc"));
        Assert.Equal(0, tokenizer.LeadingSpaces);
    }

    [Fact]
    public void FromVocabulary_ByteLevel_UsesTheNamedPatterns()
    {
        var tokenizer = TokenizerLoader.FromVocabulary(ByteLevel);
        Assert.Equal([4, 5, 3, 8], Plain(tokenizer, "ab ab 12"));
        Assert.Equal([4, 3, 6, 7], Plain(TokenizerLoader.FromVocabulary(ByteLevel with { Pre = "smollm" }), "ab 12"));
        Assert.Equal([4, 0], tokenizer.Encode("ab<|end|>", parseSpecial: true, addSpecial: true));
        Assert.Equal("<|end|>", tokenizer.EosToken);
        Assert.Null(tokenizer.BosToken);
    }

    [Fact]
    public void FromVocabulary_EveryKnownPreTokenizer_Loads()
    {
        foreach (var name in Runtime.Tokenization.Files.GgufPreTokenizer.Names)
        {
            var tokenizer = TokenizerLoader.FromVocabulary(ByteLevel with { Pre = name, AddBos = false });
            Assert.Equal([4, 5], Plain(tokenizer, "ab ab"));
        }
    }

    [Fact]
    public void FromVocabulary_Inconsistent_IsRefusedByName()
    {
        Refused(ByteLevel with { Pre = "unheard-of" }, "tokenizer.ggml.pre", "unheard-of");
        Refused(ByteLevel with { Model = "t5" }, "tokenizer.ggml.model", "t5");
        Refused(ByteLevel with { Merges = null }, "tokenizer.ggml.merges", "missing");
        Refused(ByteLevel with { Merges = ["a c"] }, "tokenizer.ggml.merges[0]", "a c");
        Refused(ByteLevel with { Merges = ["a b", "ab"] }, "tokenizer.ggml.merges[1]", "ab");
        Refused(ByteLevel with { Merges = ["b a"] }, "tokenizer.ggml.merges[0]", "b a");
        Refused(ByteLevel with { Tokens = [] }, "tokenizer.ggml.tokens", "0 tokens");
        Refused(ByteLevel with { TokenTypes = [1] }, "tokenizer.ggml.token_type", "1 entries");
        Refused(ByteLevel with { EosId = 9 }, "tokenizer.ggml.eos_token_id", "9");
        Refused(ByteLevel with { BosId = -1 }, "tokenizer.ggml.bos_token_id", "-1");
        Refused(ByteLevel with { AddBos = true }, "tokenizer.ggml.add_bos_token", "bos_token_id");
        Refused(SentencePiece with { Scores = null }, "tokenizer.ggml.scores", "missing");
        Refused(SentencePiece with { Scores = [0, 0, 0, 0, 0, 0, float.NaN, 0, 0, 0, 0] }, "tokenizer.ggml.scores[6]", "number");
        Refused(
            SentencePiece with { Tokens = ["<unk>", "<s>", "</s>", "zz", "<0xA9>", "▁", "a", "aa", "▁a", "b", "<tool>"] },
            "tokenizer.ggml.tokens",
            "zz");
        Refused(
            SentencePiece with { Tokens = ["<unk>", "<s>", "</s>", "<0xC3>", "<0xA9>", "▁", "a", new string('a', 600), "▁a", "b", "<tool>"] },
            "tokenizer.ggml.tokens[7]",
            "600");
    }

    private static void Refused(GgufVocabulary vocabulary, string subject, string named)
    {
        var error = Assert.Throws<ModelFormatException>(() => TokenizerLoader.FromVocabulary(vocabulary));
        Assert.Equal(subject, error.Subject);
        Assert.Equal("model.gguf", error.File);
        Assert.Contains(named, error.Message, StringComparison.Ordinal);
    }

    private static IReadOnlyList<int> Plain(ITokenizer tokenizer, string text) =>
        tokenizer.Encode(text, parseSpecial: false, addSpecial: false);
}
