using System.Text;
using System.Text.Json.Nodes;
using CsCheck;
using Parallax.Runtime.Tokenization;
using Parallax.Runtime.Weights;

namespace Parallax.UnitTests.Tokenization;

public sealed class HostileTokenizerTests
{
    /// <summary>What is broken, the field that the message must name, and the path and value to set ("-" removes).</summary>
    public static TheoryData<string, string, string> Broken() => new()
    {
        { "model.type", "model.type", "\"Unigram\"" },
        { "model.vocab", "model.vocab", "-" },
        { "model.vocab", "model.vocab", "[]" },
        { "model.vocab", "model.vocab", "{\"a\":-1}" },
        { "model.vocab", "model.vocab", "{\"a\":2147483647}" },
        { "model.vocab", "model.vocab", "{\"a\":99999999999}" },
        { "model.vocab", "model.vocab", "{\"a\":1.5}" },
        { "model.vocab", "model.vocab", "{\"a\":\"1\"}" },
        { "model.vocab", "model.vocab", "{\"a\":1,\"b\":1}" },
        { "model.merges", "model.merges", "-" },
        { "model.merges", "model.merges", "{}" },
        { "model.merges[0]", "model.merges", "[\"a\"]" },
        { "model.merges[0]", "model.merges", "[\"a b c\"]" },
        { "model.merges[0]", "model.merges", "[\" a\"]" },
        { "model.merges[0]", "model.merges", "[[\"a\"]]" },
        { "model.merges[0]", "model.merges", "[[\"a\",\"b\",\"c\"]]" },
        { "model.merges[0]", "model.merges", "[[\"a\",1]]" },
        { "model.merges[0]", "model.merges", "[1]" },
        { "model.merges[0]", "model.merges", "[\"nope a\"]" },
        { "model.merges[0]", "model.merges", "[\"x y\"]" },
        { "model.dropout", "model.dropout", "0.1" },
        { "model.continuing_subword_prefix", "model.continuing_subword_prefix", "\"##\"" },
        { "model.end_of_word_suffix", "model.end_of_word_suffix", "\"</w>\"" },
        { "model.unk_token", "model.unk_token", "\"nope\"" },
        { "model.ignore_merges", "model.ignore_merges", "1" },
        { "normalizer", "normalizer", "{\"type\":\"Precompiled\"}" },
        { "normalizer", "normalizer", "{\"type\":\"Lowercase\"}" },
        { "normalizer.type", "normalizer", "{}" },
        { "normalizer", "normalizer", "[]" },
        { "normalizer.prepend", "normalizer", "{\"type\":\"Prepend\",\"prepend\":\"" + new string('x', 100) + "\"}" },
        { "normalizer.pattern", "normalizer", "{\"type\":\"Replace\",\"pattern\":{\"Regex\":\"(?<=a)\"},\"content\":\"\"}" },
        { "pre_tokenizer", "pre_tokenizer", "{\"type\":\"BertPreTokenizer\"}" },
        { "decoder", "pre_tokenizer", "-" },
        { "pre_tokenizer.pattern.Regex", "pre_tokenizer", "{\"type\":\"Split\",\"pattern\":{\"Regex\":\"a(?<=b)\"},\"behavior\":\"Isolated\"}" },
        { "pre_tokenizer.behavior", "pre_tokenizer", "{\"type\":\"Split\",\"pattern\":{\"Regex\":\"a\"}}" },
        { "pre_tokenizer.behavior", "pre_tokenizer", "{\"type\":\"Split\",\"pattern\":{\"Regex\":\"a\"},\"behavior\":\"Odd\"}" },
        { "pre_tokenizer.pretokenizers[1]", "pre_tokenizer", "{\"type\":\"Sequence\",\"pretokenizers\":[{\"type\":\"ByteLevel\"},{\"type\":\"Digits\"}]}" },
        { "decoder", "decoder", "-" },
        { "decoder", "decoder", "{\"type\":\"WordPiece\"}" },
        { "decoder", "decoder", "{\"type\":\"ByteFallback\"}" },
        { "decoder.decoders[0]", "decoder", "{\"type\":\"Sequence\",\"decoders\":[{\"type\":\"Strip\",\"content\":\" \",\"start\":1,\"stop\":0}]}" },
        { "post_processor", "post_processor", "{\"type\":\"BertProcessing\"}" },
        { "post_processor.single", "post_processor", "{\"type\":\"TemplateProcessing\",\"special_tokens\":{}}" },
        { "post_processor.special_tokens.<s>", "post_processor", "{\"type\":\"TemplateProcessing\",\"single\":[{\"SpecialToken\":{\"id\":\"<s>\"}}],\"special_tokens\":{}}" },
        { "post_processor.special_tokens.x.ids[0]", "post_processor", "{\"type\":\"TemplateProcessing\",\"single\":[{\"SpecialToken\":{\"id\":\"x\"}}],\"special_tokens\":{\"x\":{\"ids\":[999]}}}" },
        { "added_tokens", "added_tokens", "{}" },
        { "added_tokens[0].id", "added_tokens", "[{\"content\":\"x\"}]" },
        { "added_tokens[0]", "added_tokens", "[{\"id\":-5,\"content\":\"<x>\"}]" },
        { "added_tokens[0]", "added_tokens", "[{\"id\":2000000000,\"content\":\"<x>\"}]" },
        { "added_tokens[0]", "added_tokens", "[{\"id\":5,\"content\":\"<x>\"}]" },
        { "added_tokens[0]", "added_tokens", "[{\"id\":300,\"content\":\"the\"}]" },
        { "added_tokens[0]", "added_tokens", "[{\"id\":300,\"content\":\"\"}]" },
        { "added_tokens[0].special", "added_tokens", "[{\"id\":300,\"content\":\"<x>\",\"special\":\"yes\"}]" },
        { "added_tokens[0].content", "added_tokens", "[{\"id\":300,\"content\":7}]" },
    };

    [Theory]
    [MemberData(nameof(Broken))]
    public void FromFolder_BrokenField_IsNamed(string subject, string path, string value)
    {
        var json = TokenizerFolder.ByteLevel();
        var parts = path.Split('.');
        var parent = parts.Length == 1 ? json : json[parts[0]]!.AsObject();
        if (value == "-")
        {
            parent.Remove(parts[^1]);
        }
        else
        {
            parent[parts[^1]] = JsonNode.Parse(value);
        }

        var error = Assert.Throws<ModelFormatException>(() => TokenizerFolder.Load(json));
        Assert.Equal(subject, error.Subject);
        Assert.EndsWith("tokenizer.json", error.File, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("{\"add_bos_token\":true}", "add_bos_token")]
    [InlineData("{\"add_bos_token\":1}", "add_bos_token")]
    [InlineData("{\"bos_token\":5}", "bos_token")]
    [InlineData("{\"bos_token\":{}}", "bos_token.content")]
    [InlineData("{\"added_tokens_decoder\":{\"x\":{}}}", "added_tokens_decoder.x")]
    [InlineData("[]", null)]
    [InlineData("{", null)]
    public void FromFolder_BrokenConfig_IsNamed(string config, string? subject)
    {
        var error = Assert.Throws<ModelFormatException>(() => TokenizerFolder.Load(TokenizerFolder.ByteLevel(), config));
        Assert.Equal(subject, error.Subject);
    }

    [Fact]
    public void FromFolder_NoSuchFile_IsNamed()
    {
        using var folder = new TokenizerFolder();
        var error = Assert.Throws<ModelFormatException>(() => TokenizerLoader.FromFolder(folder.Path));
        Assert.Contains("tokenizer.json", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void FromFolder_CutAnywhere_IsRefused()
    {
        var bytes = Encoding.UTF8.GetBytes(TokenizerFolder.Characters().ToJsonString());
        using var folder = new TokenizerFolder();
        Gen.Int[0, bytes.Length - 1].Sample(
            length =>
            {
                var path = Path.Combine(folder.Path, $"{length}");
                Directory.CreateDirectory(path);
                File.WriteAllBytes(Path.Combine(path, "tokenizer.json"), bytes.AsSpan(0, length));
                var error = Assert.Throws<ModelFormatException>(() => TokenizerLoader.FromFolder(path));
                Assert.Contains("tokenizer.json", error.Message, StringComparison.Ordinal);
            },
            iter: 300);
    }

    [Fact]
    public void FromFolder_BytesChanged_LoadsOrIsRefused()
    {
        var original = Encoding.UTF8.GetBytes(TokenizerFolder.Characters().ToJsonString());
        using var folder = new TokenizerFolder();
        var file = 0;
        Gen.Select(Gen.Int[0, original.Length - 1], Gen.OneOf(Gen.Byte, Gen.Char["\"{}[],:019-\\ue"].Select(c => (byte)c))).Array[1, 4].Sample(
            changes =>
            {
                var bytes = original.ToArray();
                foreach (var (at, value) in changes)
                {
                    bytes[at] = value;
                }

                var path = Path.Combine(folder.Path, $"{Interlocked.Increment(ref file)}");
                Directory.CreateDirectory(path);
                File.WriteAllBytes(Path.Combine(path, "tokenizer.json"), bytes);
                try
                {
                    var tokenizer = TokenizerLoader.FromFolder(path);
                    tokenizer.Decode(tokenizer.Encode("ab é<s>", parseSpecial: true, addSpecial: true));
                }
                catch (ModelFormatException error)
                {
                    Assert.Contains("tokenizer.json", error.Message, StringComparison.Ordinal);
                }
            },
            iter: 1000);
    }

    [Fact]
    public void Encode_NormalizersThatBlowTextsUp_AreStopped()
    {
        var json = TokenizerFolder.ByteLevel();
        var doubling = Enumerable.Range(0, 15).Select(_ => """{"type":"Replace","pattern":{"String":"a"},"content":"aa"}""");
        json["normalizer"] = JsonNode.Parse($$"""{"type":"Sequence","normalizers":[{{string.Join(',', doubling)}}]}""");
        var tokenizer = TokenizerFolder.Load(json);
        Assert.Throws<ModelFormatException>(() => tokenizer.Encode("aaaa", parseSpecial: false, addSpecial: false));
    }

    [Fact]
    public void FromFolder_ManyOrDeepComponents_AreRefused()
    {
        var json = TokenizerFolder.ByteLevel();
        var digits = Enumerable.Repeat("""{"type":"Digits"}""", 100);
        json["pre_tokenizer"] = JsonNode.Parse($$"""{"type":"Sequence","pretokenizers":[{{string.Join(',', digits)}}]}""");
        Assert.Throws<ModelFormatException>(() => TokenizerFolder.Load(json));

        using var folder = new TokenizerFolder();
        var open = string.Concat(Enumerable.Repeat("{\"type\":\"Sequence\",\"pretokenizers\":[", 10_000));
        folder.Write("tokenizer.json", Encoding.UTF8.GetBytes("{\"pre_tokenizer\":" + open));
        Assert.Throws<ModelFormatException>(() => TokenizerLoader.FromFolder(folder.Path));
    }
}
