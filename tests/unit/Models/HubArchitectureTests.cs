using System.Text.Json.Nodes;
using Parallax.Runtime.Models;
using Parallax.Testing.Models;

namespace Parallax.UnitTests.Models;

public sealed class HubArchitectureTests : IDisposable
{
    private readonly ModelFolder _folder = new();

    public static TheoryData<string> Architectures => ["llama", "mistral", "qwen2", "qwen3", "qwen3_moe"];

    public void Dispose() => _folder.Dispose();

    [Theory]
    [MemberData(nameof(Architectures))]
    public void Open_EveryArchitecture_UsesEveryTensorInItsShape(string architecture)
    {
        foreach (var variant in (TinyModel[])
            [
                new() { Architecture = architecture },
                new() { Architecture = architecture, Tied = true },
                new() { Architecture = architecture, AttentionBias = architecture is "llama" or "qwen3" or "qwen3_moe", FeedForwardBias = architecture == "llama" },
                new() { Architecture = architecture, KvHeads = 4, HeadDim = 16, Layers = 3, DenseLayers = [1] },
            ])
        {
            variant.WriteHub(_folder);
            using var model = ModelSource.Open(_folder.Path);
            var shapes = ModelShapes.Of(model.Spec).ToList();
            Assert.All(shapes, s => model.Weights.Open(s.Tensor, s.Rows, s.Columns));
            Assert.Equal(variant.HubTensors().Select(t => t.Name).Order(), shapes.Select(s => s.Tensor.Name).Distinct().Order());
            Assert.Equal(architecture, model.Spec.Architecture);
            Assert.Equal(variant.Tied, model.Spec.Head == model.Spec.Embedding);
        }
    }

    [Fact]
    public void Open_Llama_ReadsEveryFieldThatMatters()
    {
        var spec = Open("llama", c =>
        {
            c["rms_norm_eps"] = 2e-5;
            c["max_position_embeddings"] = 77;
            c["rope_theta"] = 500000;
            c["head_dim"] = null;
            c["num_key_value_heads"] = null;
        });
        var attention = spec.Layers[1].Attention;
        Assert.Equal((48, 32, 77, 2e-5f), (spec.VocabularySize, spec.HiddenSize, spec.MaxPositions, spec.NormEpsilon));
        Assert.Equal((4, 4, 8), (attention.Heads, attention.KvHeads, attention.HeadDim));
        Assert.Equal((float)(1 / Math.Sqrt(8)), attention.Scale);
        Assert.Equal(new RopeSpec { Layout = RopeLayout.Halves, Theta = 500000, RotaryDim = 8 }, attention.Rope);
        Assert.Null(attention.Window);
        Assert.Null(attention.QueryBias);
        Assert.Null(attention.QueryNorm);
        Assert.Equal(64, Assert.IsType<DenseFeedForwardSpec>(spec.Layers[0].FeedForward).IntermediateSize);
    }

    [Theory]
    [InlineData("""{"rope_type":"llama3","factor":8,"low_freq_factor":1,"high_freq_factor":4,"original_max_position_embeddings":64}""", "rope_scaling")]
    [InlineData("""{"type":"llama3","rope_type":"llama3","factor":8.0,"low_freq_factor":1.0,"high_freq_factor":4.0,"original_max_position_embeddings":64}""", "rope_scaling")]
    [InlineData("""{"rope_type":"llama3","rope_theta":10000.0,"factor":8.0,"low_freq_factor":1.0,"high_freq_factor":4.0,"original_max_position_embeddings":64}""", "rope_parameters")]
    public void Open_Llama3Scaling_IsRead(string rope, string field)
    {
        var spec = Open("llama", c => c[field] = JsonNode.Parse(rope));
        Assert.Equal(new Llama3RopeScaling(8, 1, 4, 64), spec.Layers[0].Attention.Rope.Llama3Scaling);
        Assert.Equal(10000, spec.Layers[0].Attention.Rope.Theta);
    }

    [Theory]
    [InlineData("""{"type":"linear","factor":4.0}""", 4, 10000)]
    [InlineData("""{"rope_type":"linear","factor":2}""", 2, 10000)]
    [InlineData("""{"rope_type":"default"}""", 1, 10000)]
    [InlineData("""{"rope_type":"default","rope_theta":123.0,"partial_rotary_factor":1.0}""", 1, 123)]
    [InlineData("""{"rope_theta":123}""", 1, 123)]
    public void Open_OtherRope_IsRead(string rope, double factor, double theta)
    {
        var spec = Open("qwen3", c =>
        {
            c.Remove("rope_theta");
            c["rope_parameters"] = JsonNode.Parse(rope);
        });
        Assert.Equal((factor, theta), (spec.Layers[0].Attention.Rope.LinearFactor, spec.Layers[0].Attention.Rope.Theta));
    }

    [Theory]
    [InlineData("""{"rope_type":"yarn","factor":4.0}""", "rope_scaling.rope_type", "yarn")]
    [InlineData("""{"type":"dynamic","factor":4.0}""", "rope_scaling.rope_type", "dynamic")]
    [InlineData("""{"type":"linear","rope_type":"llama3","factor":4.0}""", "rope_scaling.type", "linear")]
    [InlineData("""{"factor":4.0}""", "rope_scaling.rope_type", "missing")]
    [InlineData("""{"rope_type":"linear"}""", "rope_scaling.factor", "missing")]
    [InlineData("""{"rope_type":"linear","factor":0}""", "rope_scaling.factor", "above 0")]
    [InlineData("""{"rope_type":"linear","factor":-1}""", "rope_scaling.factor", "above 0")]
    [InlineData("""{"rope_type":"linear","factor":1e999}""", "rope_scaling.factor", "above 0")]
    [InlineData("""{"rope_type":"linear","factor":"4"}""", "rope_scaling.factor", "number")]
    [InlineData("""{"rope_type":"linear","factor":4,"attention_factor":0.5}""", "rope_scaling.attention_factor", "not supported")]
    [InlineData("""{"rope_type":"default","partial_rotary_factor":0.5}""", "rope_scaling.partial_rotary_factor", "0.5")]
    [InlineData("""{"rope_type":"default","rope_theta":7}""", "rope_scaling.rope_theta", "10000")]
    [InlineData("""{"rope_type":"llama3","factor":8,"low_freq_factor":1,"high_freq_factor":4}""", "rope_scaling.original_max_position_embeddings", "missing")]
    [InlineData("""{"rope_type":"llama3","factor":8,"low_freq_factor":4,"high_freq_factor":4,"original_max_position_embeddings":64}""", "rope_scaling.high_freq_factor", "more than")]
    [InlineData("""{"full_attention":{"rope_type":"default"}}""", "rope_scaling.full_attention", "not supported")]
    [InlineData("[]", "rope_scaling", "object")]
    public void Open_UnsupportedRope_IsRefusedByName(string rope, string field, string mention) =>
        Refusal.Of(() => Open("llama", c => c["rope_scaling"] = JsonNode.Parse(rope)), "config.json", $"'{field}'", mention);

    [Theory]
    [InlineData("sliding_window", "7", 7)]
    [InlineData("sliding_window", "null", null)]
    [InlineData("sliding_window", null, 4096)]
    public void Open_Mistral_AllLayersSlide(string field, string? value, int? window)
    {
        var spec = Open("mistral", c => SetOrRemove(c, field, value));
        Assert.All(spec.Layers, layer => Assert.Equal(window, layer.Attention.Window));
    }

    [Theory]
    [InlineData("""{"use_sliding_window":false,"sliding_window":7,"max_window_layers":0}""", null, null, null)]
    [InlineData("""{"use_sliding_window":true,"sliding_window":7,"max_window_layers":1}""", null, 7, 7)]
    [InlineData("""{"use_sliding_window":true,"sliding_window":7,"max_window_layers":0}""", 7, 7, 7)]
    [InlineData("""{"use_sliding_window":true,"sliding_window":7}""", null, null, null)]
    [InlineData("""{"use_sliding_window":true,"max_window_layers":2}""", null, null, 4096)]
    [InlineData("""{"use_sliding_window":true,"sliding_window":null,"max_window_layers":0}""", null, null, null)]
    [InlineData("""{"use_sliding_window":true,"sliding_window":7,"max_window_layers":9,"layer_types":["sliding_attention","full_attention","sliding_attention"]}""", 7, null, 7)]
    public void Open_QwenWindows_FollowTheirFields(string fields, int? first, int? second, int? third)
    {
        foreach (var architecture in (string[])["qwen2", "qwen3"])
        {
            var spec = Open(new TinyModel { Architecture = architecture, Layers = 3 }, c => Merge(c, fields));
            Assert.Equal([first, second, third], spec.Layers.Select(l => l.Attention.Window));
        }
    }

    [Theory]
    [InlineData("qwen2", """{"layer_types":["full_attention"]}""", "layer_types", "1 entries")]
    [InlineData("qwen2", """{"layer_types":["full_attention","chunked_attention"]}""", "layer_types", "chunked_attention")]
    [InlineData("qwen2", """{"layer_types":["full_attention","sliding_attention"]}""", "layer_types", "use_sliding_window")]
    [InlineData("llama", """{"layer_types":["full_attention","sliding_attention"]}""", "layer_types", "sliding_attention")]
    [InlineData("mistral", """{"sliding_window":4,"layer_types":["full_attention","sliding_attention"]}""", "layer_types", "full_attention")]
    [InlineData("mistral", """{"sliding_window":0}""", "sliding_window", "is 0")]
    [InlineData("mistral", """{"sliding_window":4,"use_sliding_window":false}""", "use_sliding_window", "is 4")]
    [InlineData("mistral", """{"attention_bias":true}""", "attention_bias", "not supported")]
    [InlineData("llama", """{"sliding_window":4}""", "sliding_window", "not supported")]
    [InlineData("qwen3_moe", """{"use_sliding_window":true,"sliding_window":4,"max_window_layers":1}""", "max_window_layers", "all layers")]
    public void Open_ContradictoryWindows_AreRefused(string architecture, string fields, string field, string mention) =>
        Refusal.Of(() => Open(architecture, c => Merge(c, fields)), $"'{field}'", mention);

    [Fact]
    public void Open_Qwen3MoeWindow_HoldsForAllLayers()
    {
        var spec = Open("qwen3_moe", c => Merge(c, """{"use_sliding_window":true,"sliding_window":5}"""));
        Assert.All(spec.Layers, layer => Assert.Equal(5, layer.Attention.Window));
    }

    [Fact]
    public void Open_Qwen3MoeWithoutHeadDim_DividesHiddenByHeads() =>
        Assert.Equal(8, Open("qwen3_moe", c => c.Remove("head_dim")).Layers[0].Attention.HeadDim);

    [Fact]
    public void Open_Qwen3WithoutHeadDim_TakesThePublishedDefault() =>
        Assert.Equal(128, Open("qwen3", c => c.Remove("head_dim")).Layers[0].Attention.HeadDim);

    [Fact]
    public void Open_MistralWithoutKvHeads_TakesThePublishedDefault() =>
        Assert.Equal(8, Open(new TinyModel { Architecture = "mistral", Heads = 16 }, c => c.Remove("num_key_value_heads")).Layers[0].Attention.KvHeads);

    [Theory]
    [InlineData(1, "[]", new[] { true, true, true, true })]
    [InlineData(2, "[]", new[] { false, true, false, true })]
    [InlineData(3, "[]", new[] { false, false, true, false })]
    [InlineData(1, "[0,3,99]", new[] { false, true, true, false })]
    [InlineData(2, "[1]", new[] { false, false, false, true })]
    [InlineData(1, "null", new[] { true, true, true, true })]
    public void Open_Qwen3Moe_SparseLayersFollowStepAndList(int step, string denseLayers, bool[] sparse)
    {
        var spec = Open(new TinyModel { Architecture = "qwen3_moe", Layers = 4 }, c =>
        {
            c["decoder_sparse_step"] = step;
            c["mlp_only_layers"] = JsonNode.Parse(denseLayers);
        });
        Assert.Equal(sparse, spec.Layers.Select(l => l.FeedForward is MoeFeedForwardSpec));
    }

    [Theory]
    [InlineData("num_experts")]
    [InlineData("num_local_experts")]
    public void Open_Qwen3Moe_ReadsTheMixture(string name)
    {
        var spec = Open("qwen3_moe", c =>
        {
            c.Remove("num_experts");
            c[name] = 4;
            c["norm_topk_prob"] = null;
        });
        var moe = Assert.IsType<MoeFeedForwardSpec>(spec.Layers[0].FeedForward);
        Assert.Equal((32, 2, false, 4), (moe.IntermediateSize, moe.TopK, moe.NormalizeTopK, moe.Experts.Length));
        Assert.Equal("model.layers.0.mlp.experts.3.up_proj.weight", moe.Experts[3].Up.Name);
    }

    [Theory]
    [InlineData("""{"num_local_experts":5}""", "num_experts")]
    [InlineData("""{"num_experts_per_tok":5}""", "5 experts per token")]
    [InlineData("""{"num_experts":268435456}""", "experts")]
    [InlineData("""{"num_experts":0}""", "num_experts")]
    [InlineData("""{"decoder_sparse_step":0}""", "decoder_sparse_step")]
    [InlineData("""{"mlp_only_layers":["a"]}""", "mlp_only_layers")]
    [InlineData("""{"shared_expert_intermediate_size":32}""", "shared_expert_intermediate_size")]
    public void Open_WrongMixture_IsRefused(string fields, string mention) =>
        Refusal.Of(() => Open("qwen3_moe", c => Merge(c, fields)), mention);

    [Theory]
    [InlineData("attn_logit_softcapping", "30.0")]
    [InlineData("logit_scale", "0.5")]
    [InlineData("residual_multiplier", "0.5")]
    [InlineData("some_future_field", "{}")]
    [InlineData("quantization_config", """{"quant_method":"gptq"}""")]
    [InlineData("quantization", """{"bits":4}""")]
    [InlineData("hidden_act", "\"gelu\"")]
    [InlineData("hidden_act", "1")]
    [InlineData("partial_rotary_factor", "0.5")]
    [InlineData("is_encoder_decoder", "true")]
    [InlineData("rope_interleaved", "true")]
    [InlineData("use_qk_norm", "true")]
    [InlineData("use_qk_norm", "0")]
    [InlineData("architectures", """["LlamaForSequenceClassification"]""")]
    [InlineData("num_key_value_heads", "3")]
    [InlineData("num_key_value_heads", "0")]
    [InlineData("num_key_value_heads", "8")]
    [InlineData("num_attention_heads", "-4")]
    [InlineData("head_dim", "7")]
    [InlineData("hidden_size", "1e3000")]
    [InlineData("hidden_size", "32.5")]
    [InlineData("hidden_size", "\"32\"")]
    [InlineData("hidden_size", "99999999999")]
    [InlineData("vocab_size", null)]
    [InlineData("intermediate_size", "null")]
    [InlineData("rms_norm_eps", "0")]
    [InlineData("tie_word_embeddings", "1")]
    [InlineData("rope_theta", "-1")]
    [InlineData("model_type", "1")]
    [InlineData("model_type", null)]
    public void Open_UnsupportedField_IsRefusedByName(string field, string? value) =>
        Refusal.Of(() => Open("llama", c => SetOrRemove(c, field, value)), "config.json", $"'{field}'");

    [Theory]
    [InlineData("gpt_oss")]
    [InlineData("deepseek_v3")]
    [InlineData("Llama")]
    public void Open_UnknownArchitecture_NamesItAndThoseKnown(string name) =>
        Refusal.Of(() => Open("llama", c => c["model_type"] = name), $"'{name}'", "llama, mistral, qwen2, qwen3, qwen3_moe");

    [Fact]
    public void Open_NeutralFields_ChangeNothing()
    {
        var plain = Open("llama", _ => { });
        var more = Open("llama", c => Merge(c, """
            {"initializer_range":0.1,"torch_dtype":"bfloat16","dtype":"float16","use_cache":false,"attention_dropout":0.1,"pretraining_tp":4,
             "transformers_version":"4.51.0","architectures":["LlamaForCausalLM"],"quantization_config":null,"sliding_window":null,
             "rope_interleaved":false,"use_sliding_window":false,"use_qk_norm":false,"is_encoder_decoder":false,"temperature":0.5,"_name_or_path":"x","rope_scaling":null,"something_new":null}
            """));
        Assert.Equal(plain with { Layers = default }, more with { Layers = default });
        Assert.Equal(plain.Layers, more.Layers);
    }

    [Fact]
    public void Open_ManyLayers_AreRefusedBeforeTheyAreBuilt()
    {
        var before = GC.GetAllocatedBytesForCurrentThread();
        Refusal.Of(() => Open("llama", c => c["num_hidden_layers"] = 200_000_000), "200000000 layers");
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 4 << 20);
    }

    [Fact]
    public void Open_FewerLayersThanTheFileHolds_LeavesTheRest() =>
        Assert.Single(Open(new TinyModel { Architecture = "llama", Layers = 3 }, c => c["num_hidden_layers"] = 1).Layers);

    [Theory]
    [InlineData("{}")]
    [InlineData("[]")]
    [InlineData("{\"model_type\":\"llama\"")]
    [InlineData("{\"model_type\":\"llama\",\"model_type\":\"llama\"}")]
    [InlineData("{\"model_type\":\"\\ud800\"}")]
    [InlineData("{\"\\ud800\":1}")]
    [InlineData("")]
    public void Open_BrokenConfig_IsRefused(string json)
    {
        new TinyModel { Architecture = "llama" }.WriteHub(_folder);
        _folder.Write("config.json", json);
        Refusal.Of(() => ModelSource.Open(_folder.Path), "config.json");
    }

    private static void SetOrRemove(JsonObject config, string field, string? value)
    {
        if (value is null)
        {
            config.Remove(field);
        }
        else
        {
            config[field] = JsonNode.Parse(value);
        }
    }

    private static void Merge(JsonObject config, string fields)
    {
        foreach (var (name, value) in JsonNode.Parse(fields)!.AsObject())
        {
            config[name] = value?.DeepClone();
        }
    }

    private ModelSpec Open(string architecture, Action<JsonObject> change) => Open(new TinyModel { Architecture = architecture }, change);

    private ModelSpec Open(TinyModel tiny, Action<JsonObject> change)
    {
        var config = tiny.Config();
        change(config);
        tiny.WriteHub(_folder, config);
        using var model = ModelSource.Open(_folder.Path);
        return model.Spec;
    }
}
