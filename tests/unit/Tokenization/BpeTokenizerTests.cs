using System.Text.Json.Nodes;
using Parallax.Runtime.Tokenization;

namespace Parallax.UnitTests.Tokenization;

public sealed class BpeTokenizerTests
{
    [Fact]
    public void Encode_ByteLevel_CutsThenMerges()
    {
        var tokenizer = TokenizerFolder.Load(TokenizerFolder.ByteLevel());
        Assert.Equal([257, 258, ' ', 256], Plain(tokenizer, "the the th"));
        Assert.Equal([0xC3, 0xA9, '\n'], Plain(tokenizer, "é\n"));
        Assert.Equal([], Plain(tokenizer, ""));
        Assert.Equal("the the th", tokenizer.Decode([257, 258, ' ', 256]));
        Assert.Equal(261, tokenizer.VocabularySize);
    }

    [Fact]
    public void Encode_LoneSurrogates_BecomeTheReplacementCharacter() =>
        Assert.Equal([0xEF, 0xBF, 0xBD, 'a'], Plain(TokenizerFolder.Load(TokenizerFolder.ByteLevel()), "\uD83Da"));

    [Fact]
    public void Encode_SpecialTokensInText_OnlyWhenAsked()
    {
        var tokenizer = TokenizerFolder.Load(TokenizerFolder.ByteLevel());
        Assert.Equal(['a', 259, 260], tokenizer.Encode("a<|end|><tool>", parseSpecial: true, addSpecial: false));
        Assert.Equal(['a', .. "<|end|>".Select(c => (int)c), 260], Plain(tokenizer, "a<|end|><tool>"));
        Assert.True(tokenizer.IsSpecial(259));
        Assert.False(tokenizer.IsSpecial(260));
        Assert.False(tokenizer.IsSpecial(-1));
        Assert.Equal("a<tool>", tokenizer.Decode(['a', 259, 260]));
        Assert.Equal("a<|end|><tool>", tokenizer.Decode(['a', 259, 260, 5000], skipSpecial: false));
    }

    [Fact]
    public void TokenId_ByContent_FindsVocabularyAndAddedTokens()
    {
        var tokenizer = TokenizerFolder.Load(TokenizerFolder.ByteLevel());
        Assert.Equal(258, tokenizer.TokenId("Ġthe"));
        Assert.Equal(259, tokenizer.TokenId("<|end|>"));
        Assert.Null(tokenizer.TokenId("nope"));
        Assert.Null(tokenizer.TokenId(""));
        Assert.Null(tokenizer.TokenId("你"));
    }

    [Fact]
    public void Encode_IgnoreMerges_TakesAWholePieceThatIsAToken()
    {
        var json = TokenizerFolder.ByteLevel();
        json["model"]!["vocab"]!["dog"] = 261; // no merge makes it
        Assert.Equal(['d', 'o', 'g'], Plain(TokenizerFolder.Load(json), "dog"));
        json["model"]!["ignore_merges"] = true;
        Assert.Equal([261], Plain(TokenizerFolder.Load(json), "dog"));
    }

    [Fact]
    public void Encode_IgnoreMerges_NeverMakesASpecialToken()
    {
        var json = TokenizerFolder.ByteLevel();
        json["model"]!["vocab"]!["stop"] = 261;
        json["model"]!["ignore_merges"] = true;
        json["added_tokens"]!.AsArray().Add((JsonNode)TokenizerFolder.Added(261, "stop", special: true));
        var tokenizer = TokenizerFolder.Load(json);
        Assert.Equal("stop".Select(c => (int)c), Plain(tokenizer, "stop"));
        Assert.Equal([261], tokenizer.Encode("stop", parseSpecial: true, addSpecial: false));
    }

    [Fact]
    public void Encode_AddedTokenFlags_AreObeyed()
    {
        var json = TokenizerFolder.ByteLevel();
        var added = json["added_tokens"]!.AsArray();
        added.Add((JsonNode)TokenizerFolder.Added(261, "<l>", special: false, lstrip: true));
        added.Add((JsonNode)TokenizerFolder.Added(262, "<r>", special: false, rstrip: true));
        added.Add((JsonNode)TokenizerFolder.Added(263, "word", special: false, singleWord: true));
        added.Add((JsonNode)TokenizerFolder.Added(264, "<tool>x", special: false));
        var tokenizer = TokenizerFolder.Load(json);
        Assert.Equal(['a', 261, ' ', 'b'], Plain(tokenizer, "a \n<l> b"));
        Assert.Equal(['a', ' ', 262, 'b'], Plain(tokenizer, "a <r> \t b"));
        Assert.Equal([262, 261], Plain(tokenizer, "<r>  <l>"));
        Assert.Equal([263, '-', 263], Plain(tokenizer, "word-word"));
        Assert.Equal("words".Select(c => (int)c), Plain(tokenizer, "words"));
        Assert.Equal([0xC3, 0xA9, .. "word".Select(c => (int)c)], Plain(tokenizer, "éword"));
        Assert.Equal([264, 260, 'y'], Plain(tokenizer, "<tool>x<tool>y")); // the longest that begins there
    }

    [Fact]
    public void Encode_NormalizedAddedToken_IsFoundAfterNormalisation()
    {
        var json = TokenizerFolder.ByteLevel();
        json["normalizer"] = JsonNode.Parse("""{"type":"NFC"}""");
        var added = json["added_tokens"]!.AsArray();
        added.Add((JsonNode)TokenizerFolder.Added(261, "caf\u00E9", special: false, normalized: true));
        added.Add((JsonNode)TokenizerFolder.Added(262, "th\u00E9", special: false, normalized: false));
        var tokenizer = TokenizerFolder.Load(json);
        Assert.Equal([261], Plain(tokenizer, "cafe\u0301"));
        Assert.Equal([256, 0xC3, 0xA9], Plain(tokenizer, "the\u0301")); // not as it stands in the text
        Assert.Equal([262], Plain(tokenizer, "th\u00E9"));
    }

    [Fact]
    public void Encode_PreTokenizerSequence_CutsInOrder()
    {
        var json = TokenizerFolder.ByteLevel();
        json["model"]!["vocab"]!["12"] = 261;
        json["model"]!["merges"]!.AsArray().Add((JsonNode)"1 2");
        Assert.Equal([261], Plain(TokenizerFolder.Load(json), "12"));
        json["pre_tokenizer"] = JsonNode.Parse(
            """{"type":"Sequence","pretokenizers":[{"type":"Digits","individual_digits":true},{"type":"ByteLevel","add_prefix_space":false}]}""");
        Assert.Equal(['1', '2'], Plain(TokenizerFolder.Load(json), "12"));
        json["pre_tokenizer"] = JsonNode.Parse(
            """{"type":"Sequence","pretokenizers":[{"type":"Split","pattern":{"Regex":"h"},"behavior":"Removed"},{"type":"ByteLevel","add_prefix_space":true,"use_regex":false}]}""");
        Assert.Throws<Runtime.Weights.ModelFormatException>(() => TokenizerFolder.Load(json)); // a space after the first cut
        json["pre_tokenizer"]!["pretokenizers"]![1]!["add_prefix_space"] = false;
        Assert.Equal(['t', 'e'], Plain(TokenizerFolder.Load(json), "the"));
    }

    [Fact]
    public void Encode_ByteLevelPrefixSpace_IsAddedOnce()
    {
        var json = TokenizerFolder.ByteLevel();
        json["pre_tokenizer"]!["add_prefix_space"] = true;
        var tokenizer = TokenizerFolder.Load(json);
        Assert.Equal([258], Plain(tokenizer, "the"));
        Assert.Equal([258], Plain(tokenizer, " the"));
    }

    [Fact]
    public void Encode_Characters_MergesWithFallbackToBytes()
    {
        var tokenizer = TokenizerFolder.Load(TokenizerFolder.Characters());
        Assert.Equal([1, 264], tokenizer.Encode("ab", parseSpecial: false, addSpecial: true));
        Assert.Equal([264, 262], Plain(tokenizer, "ab a"));
        Assert.Equal([259, 3 + 0xC3, 3 + 0xA9, 260], Plain(tokenizer, "éa"));
        Assert.Equal([262, 2, 262], tokenizer.Encode("a</s>a", parseSpecial: true, addSpecial: false)); // each text gets its ▁
        Assert.Equal("ab éa", tokenizer.Decode([1, 264, 259, 3 + 0xC3, 3 + 0xA9, 260]));
        Assert.Equal(1, tokenizer.LeadingSpaces);
        Assert.Equal([(byte)' ', (byte)'a', (byte)'b'], tokenizer.TokenBytes(264).ToArray());
        Assert.DoesNotContain(3 + 0x0A, Plain(tokenizer, "<0x0A>")); // the name of a byte token is only text
    }

    [Fact]
    public void Encode_CharactersWithoutFallback_AreUnknownOnceOrEach()
    {
        var json = TokenizerFolder.Characters();
        json["model"]!["byte_fallback"] = false;
        Assert.Equal([262, 0, 260], Plain(TokenizerFolder.Load(json), "aéüa"));
        json["model"]!["fuse_unk"] = false;
        Assert.Equal([262, 0, 0, 260], Plain(TokenizerFolder.Load(json), "aéüa"));
        json["model"]!["unk_token"] = null;
        Assert.Equal([262, 260], Plain(TokenizerFolder.Load(json), "aéüa"));
    }

    [Theory]
    [InlineData("always", "a</s>a", new[] { 262, 2, 262 })]
    [InlineData("first", "a</s>a", new[] { 262, 2, 260 })]
    [InlineData("never", "a</s>a", new[] { 260, 2, 260 })]
    [InlineData("always", " a", new[] { 262 })]
    [InlineData("never", "b a", new[] { 261, 262 })]
    public void Encode_Metaspace_PutsASpaceInFrontAsTold(string scheme, string text, int[] expected)
    {
        var json = TokenizerFolder.Characters();
        json["normalizer"] = null;
        json["pre_tokenizer"] = JsonNode.Parse($$"""{"type":"Metaspace","replacement":"▁","prepend_scheme":"{{scheme}}","split":true}""");
        json["decoder"] = JsonNode.Parse($$"""{"type":"Metaspace","replacement":"▁","prepend_scheme":"{{scheme}}"}""");
        var tokenizer = TokenizerFolder.Load(json);
        Assert.Equal(expected, tokenizer.Encode(text, parseSpecial: true, addSpecial: false));
        Assert.Equal(scheme == "never" ? 0 : 1, tokenizer.LeadingSpaces);
    }

    [Fact]
    public void Encode_AddSpecial_FollowsTemplateAndConfig()
    {
        var json = TokenizerFolder.Characters();
        Assert.Equal([1, 262], TokenizerFolder.Load(json).Encode("a", parseSpecial: false, addSpecial: true));
        Assert.Equal([262], TokenizerFolder.Load(json).Encode("a", parseSpecial: false, addSpecial: false));
        const string Names = "\"bos_token\":\"<s>\",\"eos_token\":{\"content\":\"</s>\"}";
        var tokenizer = TokenizerFolder.Load(json, $"{{{Names},\"add_bos_token\":false,\"add_eos_token\":true}}");
        Assert.Equal([262, 2], tokenizer.Encode("a", parseSpecial: false, addSpecial: true));
        Assert.Equal("<s>", tokenizer.BosToken);
        Assert.Equal("</s>", tokenizer.EosToken);
        tokenizer = TokenizerFolder.Load(json, $"{{{Names},\"add_bos_token\":true}}");
        Assert.Equal([1, 262], tokenizer.Encode("a", parseSpecial: false, addSpecial: true)); // not twice
    }

    [Fact]
    public void FromFolder_TokensOfTheConfig_AreAdded()
    {
        var tokenizer = TokenizerFolder.Load(
            TokenizerFolder.ByteLevel(),
            """{"eos_token":"the","added_tokens_decoder":{"259":{"content":"<|end|>","special":true},"270":{"content":"<|more|>","special":true}}}""");
        Assert.Equal(271, tokenizer.VocabularySize);
        Assert.Equal([270], tokenizer.Encode("<|more|>", parseSpecial: true, addSpecial: false));
        Assert.True(tokenizer.IsSpecial(257)); // the end token, though no list says so
        Assert.True(tokenizer.TokenBytes(265).IsEmpty); // a gap
    }

    [Fact]
    public void FromFolder_SpecialTokensMap_NamesWhatTheConfigDoesNot()
    {
        using var folder = new TokenizerFolder();
        folder.Write("tokenizer.json", System.Text.Encoding.UTF8.GetBytes("\uFEFF" + TokenizerFolder.Characters().ToJsonString()));
        folder.Write("special_tokens_map.json", """{"eos_token":{"content":"</s>"}}"""u8);
        Assert.Equal("</s>", TokenizerLoader.FromFolder(folder.Path).EosToken);
    }

    [Fact]
    public void Encode_ManyThreads_AgreeWithOne()
    {
        var tokenizer = TokenizerFolder.Load(TokenizerFolder.ByteLevel());
        var texts = Enumerable.Range(0, 2000).Select(i => $"the {i % 37} th the{i % 11}").ToArray();
        var expected = texts.Select(text => Plain(TokenizerFolder.Load(TokenizerFolder.ByteLevel()), text).ToArray()).Take(40).ToArray();
        Parallel.For(0, texts.Length, i => Assert.Equal(Plain(tokenizer, texts[i]), Plain(tokenizer, texts[i])));
        for (var i = 0; i < expected.Length; i++)
        {
            Assert.Equal(expected[i], Plain(tokenizer, texts[i]));
        }
    }

    private static IReadOnlyList<int> Plain(ITokenizer tokenizer, string text) =>
        tokenizer.Encode(text, parseSpecial: false, addSpecial: false);
}
