using System.Text;
using System.Text.Json;
using CsCheck;
using Parallax.Runtime.Tokenization;
using Parallax.Runtime.Weights;
using Parallax.Testing;

namespace Parallax.ReferenceTests.Tokenization;

/// <summary>The tokenizers of the reference models against the ids and texts beside them.</summary>
public sealed class ModelTokenizerTests
{
    private static readonly string SmolLm2 = TestData.PathOf("models", "smollm2", "SmolLM2-135M-Instruct.Q4_1.gguf");
    private static readonly string Stories = TestData.PathOf("models", "stories260K");
    private static readonly string Demo = TestData.PathOf("models", "demo");

    [Fact]
    public void Encode_SmolLm2Cases_EqualsTheirIds()
    {
        var tokenizer = Gguf(SmolLm2);
        using var golden = Json(TestData.PathOf("models", "smollm2", "smollm2_greedy.json"));
        var count = 0;
        foreach (var item in golden.RootElement.GetProperty("cases").EnumerateArray())
        {
            var prompt = item.TryGetProperty("messages", out var messages)
                ? Chat("You are a helpful AI assistant named SmolLM, trained by Hugging Face", messages)
                : item.GetProperty("prompt").GetString()!;
            Assert.Equal(Ids(item, "input_ids"), tokenizer.Encode(prompt, parseSpecial: true, addSpecial: true));
            Assert.Equal(prompt, tokenizer.Decode(Ids(item, "input_ids"), skipSpecial: false));
            AssertDecodes(tokenizer, item);
            count++;
        }

        Assert.True(count > 0);
    }

    [Fact]
    public void Encode_DemoCases_EqualsTheirIds()
    {
        Assert.SkipWhen(TestData.MissingReason(Demo) is not null, TestData.MissingReason(Demo) ?? string.Empty);
        var tokenizer = TokenizerLoader.FromFolder(Demo);
        using var golden = Json(Path.Combine(Demo, "golden.json"));
        foreach (var item in golden.RootElement.GetProperty("cases").EnumerateArray())
        {
            var prompt = Chat(null, item.GetProperty("messages"));
            Assert.Equal(Ids(item, "input_ids"), tokenizer.Encode(prompt, parseSpecial: true, addSpecial: true));
            AssertDecodes(tokenizer, item);
        }

        Assert.Equal("<|im_end|>", tokenizer.EosToken);
        Assert.True(tokenizer.IsSpecial(tokenizer.TokenId("<|im_end|>")!.Value));
    }

    [Fact]
    public void Decode_Stories260KGreedy_EqualsItsText()
    {
        Assert.SkipWhen(TestData.MissingReason(Stories) is not null, TestData.MissingReason(Stories) ?? string.Empty);
        using var golden = Json(Path.Combine(Stories, "golden_greedy.json"));
        var ids = Ids(golden.RootElement, "greedy_ids");
        var text = golden.RootElement.GetProperty("text").GetString()!;
        foreach (var tokenizer in (ITokenizer[])[TokenizerLoader.FromFolder(Stories), Gguf(Path.Combine(Stories, "stories260K-f32.gguf"))])
        {
            // The reference keeps the first word's space; a text loses it.
            Assert.Equal("<s>" + text, tokenizer.Decode(ids, skipSpecial: false));
            Assert.Equal("<s>" + text, Streaming.Decode(tokenizer, ids, skipSpecial: false));
            Assert.Equal(text[1..], tokenizer.Decode(ids));
            Assert.Equal(text[1..], Streaming.Decode(tokenizer, ids));
            Assert.Equal(ids, tokenizer.Encode(text[1..], parseSpecial: false, addSpecial: true));
        }
    }

    [Fact]
    public void Encode_Stories260K_FolderAndGgufAgree()
    {
        Assert.SkipWhen(TestData.MissingReason(Stories) is not null, TestData.MissingReason(Stories) ?? string.Empty);
        var folder = TokenizerLoader.FromFolder(Stories);
        var gguf = Gguf(Path.Combine(Stories, "stories260K-f32.gguf"));
        Gen.OneOf(Gen.String, Gen.String["the andLily oncewasé <s>\n你😀"]).Sample(text =>
        {
            var ids = folder.Encode(text, parseSpecial: false, addSpecial: true);
            return ids.SequenceEqual(gguf.Encode(text, parseSpecial: false, addSpecial: true))
                && folder.Encode(text, parseSpecial: true, addSpecial: false)
                    .SequenceEqual(gguf.Encode(text, parseSpecial: true, addSpecial: false))
                && folder.Decode(ids) == gguf.Decode(ids)
                && Streaming.Decode(gguf, ids) == gguf.Decode(ids);
        });
    }

    [Fact]
    public void Decode_WhatWasEncoded_IsTheText()
    {
        // NFC changes a text on purpose: those that it leaves alone come back.
        foreach (var folder in Folders())
        {
            var tokenizer = TokenizerLoader.FromFolder(folder);
            var composes = tokenizer.Decode(tokenizer.Encode("e\u0301", parseSpecial: false, addSpecial: false)) == "é";
            Gen.OneOf(Gen.String, Gen.String["aZ' \n\r\t09½é中あ한😀𝒳\u00a0<|im_end|>"]).Sample(text =>
            {
                var wellFormed = Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(text));
                var ids = tokenizer.Encode(text, parseSpecial: false, addSpecial: false);
                var decoded = tokenizer.Decode(ids);
                return !ids.Any(tokenizer.IsSpecial)
                    && Streaming.Decode(tokenizer, ids) == decoded
                    && (decoded == wellFormed || (composes && tokenizer.Encode(decoded, parseSpecial: false, addSpecial: false).SequenceEqual(ids)));
            });
        }
    }

    [Fact]
    public void Encode_LongTextWithoutSpaces_TakesLinearTime()
    {
        foreach (var folder in Folders())
        {
            var tokenizer = TokenizerLoader.FromFolder(folder);
            foreach (var unit in (string[])["a", "A", "x1", "你", "\u0301\u0323", "😀", " ", "<", "<|im_start"])
            {
                var text = string.Concat(Enumerable.Repeat(unit, (1 << 18) / unit.Length));
                var ids = tokenizer.Encode(text, parseSpecial: true, addSpecial: false); // quadratic: minutes each
                Assert.Equal(text.Length, tokenizer.Decode(ids, skipSpecial: false).Length);
            }
        }
    }

    private static IEnumerable<string> Folders()
    {
        var root = TestData.PathOf("tokenizers");
        Assert.SkipWhen(TestData.MissingReason(root) is not null, TestData.MissingReason(root) ?? string.Empty);
        return Directory.GetDirectories(root).Order(StringComparer.Ordinal);
    }

    private static ITokenizer Gguf(string path)
    {
        Assert.SkipWhen(TestData.MissingReason(path) is not null, TestData.MissingReason(path) ?? string.Empty);
        using var file = GgufFile.Open(path);
        return TokenizerLoader.FromVocabulary(GgufVocabulary.FromMetadata(file.Metadata));
    }

    private static string Chat(string? system, JsonElement messages)
    {
        var text = new StringBuilder(system is null ? null : $"<|im_start|>system\n{system}<|im_end|>\n");
        foreach (var message in messages.EnumerateArray())
        {
            text.Append($"<|im_start|>{message.GetProperty("role").GetString()}\n{message.GetProperty("content").GetString()}<|im_end|>\n");
        }

        return text.Append("<|im_start|>assistant\n").ToString();
    }

    private static void AssertDecodes(ITokenizer tokenizer, JsonElement item)
    {
        var expected = item.GetProperty("greedy_text").GetString();
        Assert.Equal(expected, tokenizer.Decode(Ids(item, "greedy_ids")));
        Assert.Equal(expected, Streaming.Decode(tokenizer, Ids(item, "greedy_ids")));
    }

    private static int[] Ids(JsonElement item, string name) => [.. item.GetProperty(name).EnumerateArray().Select(id => id.GetInt32())];

    private static JsonDocument Json(string path) => JsonDocument.Parse(File.ReadAllBytes(path));
}
