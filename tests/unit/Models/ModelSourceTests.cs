using Parallax.Runtime.Models;
using Parallax.Testing.Models;
using Parallax.Testing.Weights;

namespace Parallax.UnitTests.Models;

public sealed class ModelSourceTests : IDisposable
{
    private static readonly TinyModel Tiny = new() { Architecture = "qwen3" };

    private readonly ModelFolder _folder = new();

    public ModelSourceTests() => Tiny.WriteHub(_folder);

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(null, "2", new[] { 2 })]
    [InlineData(null, "[2, 5, 2]", new[] { 2, 5 })]
    [InlineData(null, "null", new int[0])]
    [InlineData("""{"eos_token_id":7}""", "2", new[] { 7 })]
    [InlineData("""{"eos_token_id":[7,0]}""", "2", new[] { 7, 0 })]
    [InlineData("""{"eos_token_id":null}""", "2", new[] { 2 })]
    [InlineData("""{"eos_token_id":[47,48,-1]}""", "2", new[] { 47 })]
    public void Generation_EosIds_ComeFromTheFirstFileThatNamesThem(string? generation, string config, int[] expected)
    {
        var json = Tiny.Config();
        json["eos_token_id"] = System.Text.Json.Nodes.JsonNode.Parse(config);
        Tiny.WriteHub(_folder, json);
        if (generation is not null)
        {
            _folder.Write("generation_config.json", generation);
        }

        using var model = Open();
        Assert.Equal(expected, model.Generation.EosTokenIds);
    }

    [Fact]
    public void Generation_Sampling_IsReadWhenGiven()
    {
        using (var none = Open())
        {
            Assert.Equal(new GenerationDefaults(), none.Generation with { EosTokenIds = [] });
        }

        _folder.Write("generation_config.json", """{"do_sample":true,"temperature":0.6,"top_p":0.95,"top_k":20,"min_p":0,"repetition_penalty":1.1,"_from_model_config":true}""");
        using var model = Open();
        Assert.Equal(
            new GenerationDefaults { DoSample = true, Temperature = 0.6f, TopP = 0.95f, TopK = 20, MinP = 0, RepetitionPenalty = 1.1f },
            model.Generation with { EosTokenIds = [] });
    }

    [Theory]
    [InlineData("""{"temperature":-1}""", "temperature")]
    [InlineData("""{"temperature":"hot"}""", "temperature")]
    [InlineData("""{"top_p":1.5}""", "top_p")]
    [InlineData("""{"top_k":-1}""", "top_k")]
    [InlineData("""{"eos_token_id":"x"}""", "eos_token_id")]
    [InlineData("""{"eos_token_id":[1.5]}""", "eos_token_id")]
    [InlineData("""[]""", "object")]
    public void Generation_WrongValue_IsRefusedByName(string json, string field)
    {
        _folder.Write("generation_config.json", json);
        Refusal.Of(Open, "generation_config.json", field);
    }

    [Fact]
    public void Generation_Gguf_UnitesEndOfTextTurnAndMessage()
    {
        var path = _folder.Write("m.gguf", Tiny.Gguf().Set("tokenizer.ggml.eot_token_id", 9U).Set("tokenizer.ggml.eom_token_id", uint.MaxValue).Build());
        using var model = ModelSource.Open(path);
        Assert.Equal([2, 9], model.Generation.EosTokenIds);
        Assert.Equal("m", model.DisplayName);
        Assert.NotNull(model.Metadata);
        Assert.Null(model.ChatTemplate);
    }

    [Fact]
    public void Generation_Gguf_ReadsSamplingFields()
    {
        var builder = Tiny.Gguf().Set("general.sampling.temp", 0.6f).Set("general.sampling.top_k", 20).Set("general.sampling.top_p", 0.9f)
            .Set("general.sampling.min_p", 0f).Set("general.sampling.penalty_repeat", 1.1f);
        using (var model = ModelSource.Open(_folder.Write("m.gguf", builder.Build())))
        {
            Assert.Equal(
                new GenerationDefaults { Temperature = 0.6f, TopK = 20, TopP = 0.9f, MinP = 0, RepetitionPenalty = 1.1f },
                model.Generation with { EosTokenIds = [] });
        }

        Refusal.Of(() => ModelSource.Open(_folder.Write("m.gguf", Tiny.Gguf().Set("general.sampling.top_p", 2f).Build())), "'general.sampling.top_p'");
    }

    [Theory]
    [InlineData("""{"chat_template":"{{ x }}"}""", "{{ x }}")]
    [InlineData("""{"chat_template":[{"name":"tool_use","template":"t"},{"name":"default","template":"d"}]}""", "d")]
    [InlineData("""{"chat_template":[{"name":"tool_use","template":"t"}]}""", null)]
    [InlineData("""{"chat_template":null}""", null)]
    [InlineData("""{}""", null)]
    public void ChatTemplate_TokenizerConfig_IsTextOrNamedDefault(string json, string? expected)
    {
        _folder.Write("tokenizer_config.json", json);
        using var model = Open();
        Assert.Equal(expected, model.ChatTemplate);
    }

    [Theory]
    [InlineData("""{"chat_template":1}""")]
    [InlineData("""{"chat_template":[{"name":"default"}]}""")]
    [InlineData("""{"chat_template":["x"]}""")]
    [InlineData("""{"chat_template":"\ud800"}""")]
    [InlineData("""{"chat_template":""")]
    public void ChatTemplate_WrongForm_IsRefused(string json)
    {
        _folder.Write("tokenizer_config.json", json);
        Refusal.Of(Open, "tokenizer_config.json");
    }

    [Fact]
    public void ChatTemplate_JinjaFile_Wins()
    {
        _folder.Write("tokenizer_config.json", """{"chat_template":"old"}""");
        _folder.Write("chat_template.jinja", "new \u00e9");
        using (var model = Open())
        {
            Assert.Equal("new \u00e9", model.ChatTemplate);
        }

        _folder.Write("chat_template.jinja", [0xFF, 0x41]);
        Refusal.Of(Open, "chat_template.jinja", "UTF-8");
    }

    [Fact]
    public void ChatTemplate_Gguf_IsRead()
    {
        using var model = ModelSource.Open(_folder.Write("m.gguf", Tiny.Gguf().Set("tokenizer.chat_template", "{{ y }}").Build()));
        Assert.Equal("{{ y }}", model.ChatTemplate);
    }

    [Fact]
    public void Open_ShardedFolder_IsTheSameModel()
    {
        string single;
        using (var model = Open())
        {
            single = model.WeightsHash;
        }

        // Cut by layer, in another order than the single file has.
        File.Delete(Path.Combine(_folder.Path, "model.safetensors"));
        _folder.Write("b.safetensors", Tiny.Safetensors(name => name.Contains("layers.0", StringComparison.Ordinal)).Build());
        _folder.Write("a.safetensors", Tiny.Safetensors(name => !name.Contains("layers.0", StringComparison.Ordinal)).Build());
        var map = Tiny.HubTensors().Select(t => $"\"{t.Name}\":\"{(t.Name.Contains("layers.0", StringComparison.Ordinal) ? "b" : "a")}.safetensors\"");
        _folder.Write("model.safetensors.index.json", $"{{\"weight_map\":{{{string.Join(',', map)}}}}}");
        using var sharded = Open();
        Assert.All(ModelShapes.Of(sharded.Spec), s => sharded.Weights.Open(s.Tensor, s.Rows, s.Columns));
        Assert.Equal(single, sharded.WeightsHash);
    }

    [Fact]
    public void WeightsHash_AnyChange_ChangesIt()
    {
        var hashes = new HashSet<string>();
        void AddHash()
        {
            using var model = Open();
            Assert.True(hashes.Add(model.WeightsHash));
        }

        AddHash();
        (Tiny with { Seed = 2 }).WriteHub(_folder);
        AddHash();
        var config = Tiny.Config();
        config["rope_theta"] = 20000;
        Tiny.WriteHub(_folder, config);
        AddHash();
        Tiny.WriteHub(_folder);
        var bytes = Tiny.Safetensors().Build();
        bytes[^1] ^= 1;
        _folder.Write("model.safetensors", bytes);
        AddHash();
    }

    [Fact]
    public void WeightsHash_SameFilesElsewhere_IsTheSame()
    {
        using var other = new ModelFolder();
        Tiny.WriteHub(other);
        using var here = Open();
        using var there = ModelSource.Open(other.Path);
        Assert.Equal(here.WeightsHash, there.WeightsHash);
        Assert.NotEqual(here.DisplayName, there.DisplayName);
    }

    [Fact]
    public void WeightsHash_LargeModels_SamplesEveryTensor()
    {
        // 3 MiB: sampled in sixteen windows when the limit is below it.
        var bytes = new byte[3 << 20];
        new Random(3).NextBytes(bytes);
        string HashOf(byte[] data, long limit)
        {
            using var file = Runtime.Weights.SafetensorsFile.Open(_folder.Write("t.safetensors", new SafetensorsBuilder().Add("w", "U8", [data.Length], data).Build()));
            return WeightsHasher.Hash("config"u8, file.Tensors, limit);
        }

        var whole = HashOf(bytes, long.MaxValue);
        var sampled = HashOf(bytes, 0);
        Assert.NotEqual(whole, sampled);
        Assert.Equal(sampled, HashOf(bytes, 0));
        foreach (var position in (int[])[0, (64 << 10) - 1, bytes.Length - 1, bytes.Length - (64 << 10)])
        {
            bytes[position] ^= 1;
            Assert.NotEqual(sampled, HashOf(bytes, 0));
            bytes[position] ^= 1;
        }
    }

    [Theory]
    [InlineData("some-model", "some-model")]
    [InlineData("models--Qwen--Qwen3-0.6B/snapshots/abc123", "Qwen/Qwen3-0.6B")]
    public void DisplayName_Folder_IsItsNameOrTheHubs(string relative, string expected)
    {
        var path = Path.Combine(_folder.Path, relative);
        Directory.CreateDirectory(path);
        foreach (var name in (string[])["config.json", "model.safetensors"])
        {
            File.Copy(Path.Combine(_folder.Path, name), Path.Combine(path, name));
        }

        using var model = ModelSource.Open(path + Path.DirectorySeparatorChar);
        Assert.Equal(expected, model.DisplayName);
    }

    [Fact]
    public void Open_IncompleteFolder_SaysWhatIsMissing()
    {
        using var empty = new ModelFolder();
        Refusal.Of(() => ModelSource.Open(empty.Path), empty.Path, "config.json");
        empty.Write("x.gguf", Tiny.Gguf().Build());
        Refusal.Of(() => ModelSource.Open(empty.Path), "x.gguf");
        empty.Write("config.json", Tiny.Config().ToJsonString());
        Refusal.Of(() => ModelSource.Open(empty.Path), "model.safetensors", "index.json");
        Refusal.Of(() => ModelSource.Open(Path.Combine(empty.Path, "absent")), "absent", "no such");
        Refusal.Of(() => ModelSource.Open(Path.Combine(_folder.Path, "model.safetensors")), "folder");
        Refusal.Of(() => ModelSource.Open(Path.Combine(empty.Path, "config.json")), "GGUF");
    }

    [Fact]
    public void Open_FailedOpen_LeavesTheFilesFree()
    {
        _folder.Write("config.json", """{"model_type":"unknown"}""");
        Refusal.Of(Open, "unknown");
        using var exclusive = new FileStream(Path.Combine(_folder.Path, "model.safetensors"), FileMode.Open, FileAccess.ReadWrite, FileShare.None);
        Assert.True(exclusive.CanWrite);
    }

    private ModelSource Open() => ModelSource.Open(_folder.Path);
}
