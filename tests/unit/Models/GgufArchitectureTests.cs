using Parallax.Runtime.Models;
using Parallax.Runtime.Weights;
using Parallax.Testing.Models;
using Parallax.Testing.Weights;

namespace Parallax.UnitTests.Models;

public sealed class GgufArchitectureTests : IDisposable
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
                new() { Architecture = architecture, Tied = true, Format = TensorFormat.Q4_0 },
                new() { Architecture = architecture, KvHeads = 4, HeadDim = 16, Layers = 3, Format = TensorFormat.BF16 },
                new() { Architecture = architecture, AttentionBias = architecture is "llama" or "qwen3", FeedForwardBias = architecture == "llama", Format = TensorFormat.Q8_0 },
            ])
        {
            using var model = Open(variant.Gguf());
            var shapes = ModelShapes.Of(model.Spec).ToList();
            Assert.All(shapes, s => model.Weights.Open(s.Tensor, s.Rows, s.Columns));
            Assert.Equal(variant.GgufTensors().Select(t => t.Name).Order(), shapes.Select(s => s.Tensor.Name).Distinct().Order());
            Assert.Equal(variant.Tied, model.Spec.Head == model.Spec.Embedding);
            Assert.Equal([2], model.Generation.EosTokenIds);
            var rope = model.Spec.Layers[0].Attention.Rope;
            Assert.Equal(architecture is "llama" or "mistral" ? RopeLayout.Interleaved : RopeLayout.Halves, rope.Layout);
            Assert.Equal((10000.0, variant.HeadDim, 1.0), (rope.Theta, rope.RotaryDim, rope.LinearFactor));
            Assert.Equal((float)(1 / Math.Sqrt(variant.HeadDim)), model.Spec.Layers[0].Attention.Scale);
        }
    }

    [Theory]
    [InlineData(TensorFormat.Q4_K)]
    [InlineData(TensorFormat.Q5_K)]
    [InlineData(TensorFormat.Q6_K)]
    public void Open_KQuants_OpenEveryTensor(TensorFormat format)
    {
        var wide = new TinyModel { Architecture = "qwen3", Hidden = 256, Intermediate = 256, Heads = 4, HeadDim = 64, Layers = 1, Format = format };
        using var model = Open(wide.Gguf());
        Assert.All(ModelShapes.Of(model.Spec), s => model.Weights.Open(s.Tensor, s.Rows, s.Columns));
        Assert.Equal(format, model.Weights.Open(model.Spec.Embedding, 48, 256).Format);
    }

    [Fact]
    public void Open_RopeFreqs_BecomeDivisors()
    {
        float[] divisors = [1, 1, 2, 8];
        using var model = Open(new TinyModel { Architecture = "llama" }.Gguf().Add("rope_freqs.weight", TensorFormat.F32, [4], Bytes(divisors)));
        Assert.Equal(divisors, model.Spec.Layers[1].Attention.Rope.FrequencyDivisors);
        Refusal.Of(() => Open(new TinyModel { Architecture = "llama" }.Gguf().Add("rope_freqs.weight", TensorFormat.F32, [8], new byte[32])), "'rope_freqs.weight'", "[4]");
        Refusal.Of(() => Open(new TinyModel { Architecture = "llama" }.Gguf().Add("rope_freqs.weight", TensorFormat.F32, [4], new byte[16])), "'rope_freqs.weight'", "divisor");
        Refusal.Of(() => Open(new TinyModel { Architecture = "qwen3" }.Gguf().Add("rope_freqs.weight", TensorFormat.F32, [4], Bytes(divisors))), "'rope_freqs.weight'");
    }

    [Fact]
    public void Open_LlamaWindow_HoldsForAllLayers()
    {
        using var model = Open(new TinyModel { Architecture = "mistral" }.Gguf().Set("llama.attention.sliding_window", 24U));
        Assert.All(model.Spec.Layers, l => Assert.Equal(24, l.Attention.Window));
        using var none = Open(new TinyModel { Architecture = "mistral" }.Gguf().Set("llama.attention.sliding_window", 0U));
        Assert.All(none.Spec.Layers, l => Assert.Null(l.Attention.Window));
    }

    [Theory]
    [InlineData("linear", 4f, 4.0)]
    [InlineData("none", 4f, 1.0)]
    [InlineData(null, 4f, 4.0)]
    [InlineData(null, null, 1.0)]
    public void Open_RopeScaling_FollowsTypeAndFactor(string? type, float? factor, double expected)
    {
        var builder = new TinyModel { Architecture = "qwen2" }.Gguf().Set("qwen2.rope.scaling.original_context_length", 64U);
        if (type is not null)
        {
            builder.Set("qwen2.rope.scaling.type", type);
        }

        if (factor is { } value)
        {
            builder.Set("qwen2.rope.scaling.factor", value);
        }

        using var model = Open(builder);
        Assert.Equal(expected, model.Spec.Layers[0].Attention.Rope.LinearFactor);
    }

    [Fact]
    public void Open_Qwen3Moe_ReadsTheMixture()
    {
        using var model = Open(new TinyModel { Architecture = "qwen3_moe" }.Gguf());
        var moe = Assert.IsType<MoeFeedForwardSpec>(model.Spec.Layers[1].FeedForward);
        Assert.Equal((32, 2, true, 4), (moe.IntermediateSize, moe.TopK, moe.NormalizeTopK, moe.Experts.Length));
        Assert.Equal(new TensorRef("blk.1.ffn_up_exps.weight", 3), moe.Experts[3].Up);

        // The stack holds four experts.
        var one = model.Weights.Open(moe.Experts[3].Down, 32, 32);
        Assert.Equal(32, one.Rows);
    }

    [Fact]
    public void Open_ExpertsThatTheStackDoesNotHold_AreRefusedBeforeTheyAreBuilt()
    {
        var before = GC.GetAllocatedBytesForCurrentThread();
        Refusal.Of(() => Open(Rebuilt(new TinyModel { Architecture = "qwen3_moe" }, "qwen3moe.expert_count", 30_000U)), "'blk.0.ffn_gate_exps.weight'", "[4, 32, 32]", "30000 experts");
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 4 << 20);
    }

    [Fact]
    public void Open_NumbersPerLayer_AreReadWhenEqual()
    {
        using (var model = Open(Rebuilt(new TinyModel { Architecture = "llama" }, "llama.attention.head_count_kv", new[] { 2, 2 })))
        {
            Assert.Equal(2, model.Spec.Layers[0].Attention.KvHeads);
        }

        Refusal.Of(() => Open(Rebuilt(new TinyModel { Architecture = "llama" }, "llama.attention.head_count_kv", new[] { 2, 1 })), "'llama.attention.head_count_kv'", "differs");
    }

    [Theory]
    [InlineData("llama.block_count", null)]
    [InlineData("llama.block_count", 4_000_000_000U)]
    [InlineData("llama.block_count", 5000U)]
    [InlineData("llama.embedding_length", null)]
    [InlineData("llama.embedding_length", -32)]
    [InlineData("llama.embedding_length", "32")]
    [InlineData("llama.attention.head_count_kv", 3U)]
    [InlineData("llama.attention.value_length", 16U)]
    [InlineData("llama.attention.layer_norm_rms_epsilon", null)]
    [InlineData("llama.attention.layer_norm_rms_epsilon", float.NaN)]
    [InlineData("llama.rope.freq_base", 0f)]
    [InlineData("llama.rope.dimension_count", 7U)]
    [InlineData("llama.rope.dimension_count", 16U)]
    [InlineData("llama.rope.scaling.type", "yarn")]
    [InlineData("llama.rope.scaling.attn_factor", 0.5f)]
    [InlineData("llama.rope.scaling.yarn_log_multiplier", 0.5f)]
    [InlineData("llama.vocab_size", 49U)]
    [InlineData("llama.expert_count", 8U)]
    [InlineData("llama.attention.causal", false)]
    [InlineData("llama.logit_scale", 0.5f)]
    [InlineData("general.architecture", "gemma3")]
    [InlineData("general.architecture", 5U)]
    [InlineData("general.architecture", null)]
    [InlineData("general.type", "adapter")]
    [InlineData("split.count", (ushort)2)]
    public void Open_UnsupportedField_IsRefused(string key, object? value) =>
        Refusal.Of(() => Open(Rebuilt(new TinyModel { Architecture = "llama" }, key, value)), "model.gguf", key == "llama.block_count" && value is 5000U ? "5000 layers" : $"'{key}'");

    [Fact]
    public void Open_WindowOfOtherArchitectures_IsRefused() => Refusal.Of(
        () => Open(new TinyModel { Architecture = "qwen3" }.Gguf().Set("qwen3.attention.sliding_window", 8U)), "'qwen3.attention.sliding_window'", "not supported");

    [Fact]
    public void Open_TensorWithoutPlace_IsRefusedByName()
    {
        Refusal.Of(() => Open(new TinyModel { Architecture = "llama" }.Gguf().Add("blk.0.attn_sinks.weight", TensorFormat.F32, [4], new byte[16])), "'blk.0.attn_sinks.weight'");
        Refusal.Of(() => Open(new TinyModel { Architecture = "qwen3" }.Gguf().Add("blk.1.attn_q.bias", TensorFormat.F32, [32], new byte[128])), "'blk.1.attn_q.bias'");
    }

    [Fact]
    public void Open_MissingEmbedding_IsRefused()
    {
        var builder = new GgufBuilder();
        foreach (var (key, value) in (IEnumerable<(string, object)>)[("general.architecture", "llama"), ("llama.embedding_length", 32U), ("llama.attention.head_count", 4U)])
        {
            builder.Set(key, value);
        }

        Refusal.Of(() => Open(builder.Set("padding", new string('x', 64))), "'token_embd.weight'");
    }

    private static byte[] Bytes(float[] values) => [.. values.SelectMany(BitConverter.GetBytes)];

    /// <summary>The model's file with one metadata field set, or left out when the value is null.</summary>
    private static GgufBuilder Rebuilt(TinyModel tiny, string key, object? value)
    {
        var builder = tiny.Gguf().Remove(key);
        return value is null ? builder : builder.Set(key, value);
    }

    private ModelSource Open(GgufBuilder builder) => ModelSource.Open(_folder.Write("model.gguf", builder.Build()));
}
