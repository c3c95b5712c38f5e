using System.Text.Json;
using System.Text.Json.Nodes;
using Parallax.Runtime.Tokenization;

namespace Parallax.UnitTests.Tokenization;

/// <summary>A folder with tokenizer files, made for one test and removed after it.</summary>
internal sealed class TokenizerFolder : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("parallax-tokenizer-");

    public string Path => _folder.FullName;

    /// <summary>
    /// A byte-level tokenizer.json: the 256 bytes have the ids 0 to 255, then <c>th</c>, <c>the</c>, <c>Ġthe</c>.
    /// </summary>
    public static JsonObject ByteLevel()
    {
        var vocabulary = new JsonObject();
        for (var value = 0; value < 256; value++)
        {
            vocabulary[ByteAlphabet.CharOf((byte)value).ToString()] = value;
        }

        vocabulary["th"] = 256;
        vocabulary["the"] = 257;
        vocabulary["Ġthe"] = 258;
        return new JsonObject
        {
            ["version"] = "1.0",
            ["added_tokens"] = new JsonArray(Added(259, "<|end|>", special: true), Added(260, "<tool>", special: false)),
            ["normalizer"] = null,
            ["pre_tokenizer"] = JsonNode.Parse("""{"type":"ByteLevel","add_prefix_space":false,"use_regex":true}"""),
            ["post_processor"] = null,
            ["decoder"] = JsonNode.Parse("""{"type":"ByteLevel"}"""),
            ["model"] = new JsonObject
            {
                ["type"] = "BPE",
                ["vocab"] = vocabulary,
                ["merges"] = JsonNode.Parse("""["t h", ["th","e"], "Ġ the"]"""),
            },
        };
    }

    /// <summary>
    /// A tokenizer.json of characters with byte fallback: <c>&lt;unk&gt; &lt;s&gt; &lt;/s&gt;</c>, 256 byte tokens from 3,
    /// then <c>▁ a b ▁a ab ▁ab</c> from 259.
    /// </summary>
    public static JsonObject Characters()
    {
        var vocabulary = new JsonObject { ["<unk>"] = 0, ["<s>"] = 1, ["</s>"] = 2 };
        for (var value = 0; value < 256; value++)
        {
            vocabulary[$"<0x{value:X2}>"] = 3 + value;
        }

        foreach (var token in (string[])["▁", "a", "b", "▁a", "ab", "▁ab"])
        {
            vocabulary[token] = vocabulary.Count;
        }

        return new JsonObject
        {
            ["added_tokens"] = new JsonArray(
                Added(0, "<unk>", special: true), Added(1, "<s>", special: true), Added(2, "</s>", special: true)),
            ["normalizer"] = JsonNode.Parse(
                """{"type":"Sequence","normalizers":[{"type":"Prepend","prepend":"▁"},{"type":"Replace","pattern":{"String":" "},"content":"▁"}]}"""),
            ["post_processor"] = JsonNode.Parse(
                """
                {"type":"TemplateProcessing","single":[{"SpecialToken":{"id":"<s>","type_id":0}},{"Sequence":{"id":"A","type_id":0}}],
                 "special_tokens":{"<s>":{"id":"<s>","ids":[1],"tokens":["<s>"]}}}
                """),
            ["decoder"] = JsonNode.Parse(
                """{"type":"Sequence","decoders":[{"type":"Replace","pattern":{"String":"▁"},"content":" "},{"type":"ByteFallback"},{"type":"Fuse"},{"type":"Strip","content":" ","start":1,"stop":0}]}"""),
            ["model"] = new JsonObject
            {
                ["type"] = "BPE",
                ["unk_token"] = "<unk>",
                ["fuse_unk"] = true,
                ["byte_fallback"] = true,
                ["vocab"] = vocabulary,
                ["merges"] = JsonNode.Parse("""["a b","▁ ab","▁ a"]"""),
            },
        };
    }

    public static JsonObject Added(
        int id, string content, bool special, bool normalized = false, bool lstrip = false, bool rstrip = false, bool singleWord = false) => new()
        {
            ["id"] = id,
            ["content"] = content,
            ["special"] = special,
            ["normalized"] = normalized,
            ["lstrip"] = lstrip,
            ["rstrip"] = rstrip,
            ["single_word"] = singleWord,
        };

    /// <summary>Loads a tokenizer.json, and a tokenizer_config.json if one is given.</summary>
    public static ITokenizer Load(JsonNode json, string? config = null)
    {
        using var folder = new TokenizerFolder();
        folder.Write("tokenizer.json", JsonSerializer.SerializeToUtf8Bytes(json));
        if (config is not null)
        {
            folder.Write("tokenizer_config.json", System.Text.Encoding.UTF8.GetBytes(config));
        }

        return TokenizerLoader.FromFolder(folder.Path);
    }

    public void Write(string name, ReadOnlySpan<byte> content) => File.WriteAllBytes(System.IO.Path.Combine(Path, name), content);

    public void Dispose() => _folder.Delete(recursive: true);
}
