using System.Runtime.InteropServices;
using System.Text.Json.Nodes;
using Parallax.Runtime.Weights;
using Parallax.Testing.Weights;

namespace Parallax.Testing.Models;

/// <summary>
/// A small model with seeded random weights, written as a hub folder or a GGUF file. The tensors are listed here by
/// hand, not derived from the code under test.
/// </summary>
public sealed record TinyModel
{
    /// <summary>The hub's name: llama, mistral, qwen2, qwen3 or qwen3_moe.</summary>
    public required string Architecture { get; init; }

    public int Vocabulary { get; init; } = 48;

    public int Hidden { get; init; } = 32;

    public int Intermediate { get; init; } = 64;

    public int Layers { get; init; } = 2;

    public int Heads { get; init; } = 4;

    public int KvHeads { get; init; } = 2;

    public int HeadDim { get; init; } = 8;

    /// <summary>Experts of every layer of a mixture.</summary>
    public int Experts { get; init; } = 4;

    public int ExpertsPerToken { get; init; } = 2;

    public int ExpertIntermediate { get; init; } = 32;

    /// <summary>Layers that are dense in spite of the mixture.</summary>
    public int[] DenseLayers { get; init; } = [];

    public bool Tied { get; init; }

    /// <summary>Biases on query, key, value and, but for qwen2, output.</summary>
    public bool AttentionBias { get; init; }

    /// <summary>Biases on the dense feed-forward block.</summary>
    public bool FeedForwardBias { get; init; }

    /// <summary>Format of the matrices of a GGUF file; its rows must fill blocks.</summary>
    public TensorFormat Format { get; init; } = TensorFormat.F32;

    public int Seed { get; init; } = 1;

    private bool IsMoe => Architecture == "qwen3_moe";

    private bool HasQkvBias => AttentionBias || Architecture == "qwen2";

    /// <summary>The configuration as the hub has it, for tests to change.</summary>
    public JsonObject Config()
    {
        var config = new JsonObject
        {
            ["model_type"] = Architecture,
            ["vocab_size"] = Vocabulary,
            ["hidden_size"] = Hidden,
            ["intermediate_size"] = Intermediate,
            ["num_hidden_layers"] = Layers,
            ["num_attention_heads"] = Heads,
            ["num_key_value_heads"] = KvHeads,
            ["head_dim"] = HeadDim,
            ["max_position_embeddings"] = 256,
            ["rms_norm_eps"] = 1e-5,
            ["rope_theta"] = 10000.0,
            ["hidden_act"] = "silu",
            ["tie_word_embeddings"] = Tied,
            ["eos_token_id"] = 2,
            ["torch_dtype"] = "float32",
        };
        if (Architecture is "llama" or "qwen3" or "qwen3_moe")
        {
            config["attention_bias"] = AttentionBias;
        }

        if (Architecture == "llama")
        {
            config["mlp_bias"] = FeedForwardBias;
        }

        if (Architecture == "mistral")
        {
            config["sliding_window"] = null;
        }

        if (IsMoe)
        {
            config["num_experts"] = Experts;
            config["num_experts_per_tok"] = ExpertsPerToken;
            config["moe_intermediate_size"] = ExpertIntermediate;
            config["decoder_sparse_step"] = 1;
            config["mlp_only_layers"] = new JsonArray([.. DenseLayers.Select(l => (JsonNode)l)]);
            config["norm_topk_prob"] = true;
        }

        return config;
    }

    /// <summary>The tensors in the hub's names: name and shape.</summary>
    public IReadOnlyList<(string Name, long[] Shape)> HubTensors() =>
    [
        ("model.embed_tokens.weight", [Vocabulary, Hidden]),
        .. Enumerable.Range(0, Layers).SelectMany(HubLayer),
        ("model.norm.weight", [Hidden]),
        .. Tied ? Array.Empty<(string, long[])>() : [("lm_head.weight", [Vocabulary, Hidden])],
    ];

    /// <summary>The safetensors file.</summary>
    public SafetensorsBuilder Safetensors(Func<string, bool>? keep = null)
    {
        var builder = new SafetensorsBuilder();
        foreach (var (name, shape) in HubTensors().Where(t => keep?.Invoke(t.Name) ?? true))
        {
            builder.Add(name, shape, Values(name, shape));
        }

        return builder;
    }

    /// <summary>Writes config.json and model.safetensors.</summary>
    public void WriteHub(ModelFolder folder, JsonObject? config = null)
    {
        ArgumentNullException.ThrowIfNull(folder);
        folder.Write("config.json", (config ?? Config()).ToJsonString());
        folder.Write("model.safetensors", Safetensors().Build());
    }

    /// <summary>The GGUF file, for tests to add to. Query and key rows of llama are written as they are (a test that computes must permute).</summary>
    public GgufBuilder Gguf()
    {
        var architecture = Architecture switch { "mistral" => "llama", "qwen3_moe" => "qwen3moe", var other => other };
        var builder = new GgufBuilder()
            .Set("general.architecture", architecture)
            .Set("general.name", "tiny")
            .Set($"{architecture}.block_count", (uint)Layers)
            .Set($"{architecture}.context_length", 256U)
            .Set($"{architecture}.embedding_length", (uint)Hidden)
            .Set($"{architecture}.feed_forward_length", (uint)Intermediate)
            .Set($"{architecture}.attention.head_count", (uint)Heads)
            .Set($"{architecture}.attention.head_count_kv", (uint)KvHeads)
            .Set($"{architecture}.attention.key_length", (uint)HeadDim)
            .Set($"{architecture}.attention.value_length", (uint)HeadDim)
            .Set($"{architecture}.attention.layer_norm_rms_epsilon", 1e-5f)
            .Set($"{architecture}.rope.freq_base", 10000f)
            .Set("tokenizer.ggml.eos_token_id", 2U);
        if (IsMoe)
        {
            builder
                .Set($"{architecture}.expert_count", (uint)Experts)
                .Set($"{architecture}.expert_used_count", (uint)ExpertsPerToken)
                .Set($"{architecture}.expert_feed_forward_length", (uint)ExpertIntermediate);
        }

        foreach (var (name, shape) in GgufTensors())
        {
            var format = shape.Length == 1 ? TensorFormat.F32 : Format;
            builder.Add(name, format, shape, format == TensorFormat.F32 ? MemoryMarshal.AsBytes(Values(name, shape)).ToArray() : Blocks(name, format, shape));
        }

        return builder;
    }

    /// <summary>The tensors in GGUF's names: name and shape.</summary>
    public IReadOnlyList<(string Name, long[] Shape)> GgufTensors() =>
    [
        ("token_embd.weight", [Vocabulary, Hidden]),
        .. Enumerable.Range(0, Layers).SelectMany(GgufLayer),
        ("output_norm.weight", [Hidden]),
        .. Tied ? Array.Empty<(string, long[])>() : [("output.weight", [Vocabulary, Hidden])],
    ];

    /// <summary>The weights of a tensor: uniform in +-0.5 of the seed and the name.</summary>
    public Span<float> Values(string name, long[] shape)
    {
        ArgumentNullException.ThrowIfNull(shape);
        var random = RandomOf(name);
        var values = new float[shape.Aggregate(1L, (product, d) => product * d)];
        for (var i = 0; i < values.Length; i++)
        {
            values[i] = random.NextSingle() - 0.5f;
        }

        return values;
    }

    private IEnumerable<(string, long[])> HubLayer(int layer)
    {
        var prefix = $"model.layers.{layer}.";
        var attention = prefix + "self_attn.";
        yield return (prefix + "input_layernorm.weight", [Hidden]);
        yield return (prefix + "post_attention_layernorm.weight", [Hidden]);
        yield return (attention + "q_proj.weight", [Heads * HeadDim, Hidden]);
        yield return (attention + "k_proj.weight", [KvHeads * HeadDim, Hidden]);
        yield return (attention + "v_proj.weight", [KvHeads * HeadDim, Hidden]);
        yield return (attention + "o_proj.weight", [Hidden, Heads * HeadDim]);
        if (HasQkvBias)
        {
            yield return (attention + "q_proj.bias", [Heads * HeadDim]);
            yield return (attention + "k_proj.bias", [KvHeads * HeadDim]);
            yield return (attention + "v_proj.bias", [KvHeads * HeadDim]);
        }

        if (AttentionBias)
        {
            yield return (attention + "o_proj.bias", [Hidden]);
        }

        if (Architecture.StartsWith("qwen3", StringComparison.Ordinal))
        {
            yield return (attention + "q_norm.weight", [HeadDim]);
            yield return (attention + "k_norm.weight", [HeadDim]);
        }

        if (IsMoe && !DenseLayers.Contains(layer))
        {
            yield return (prefix + "mlp.gate.weight", [Experts, Hidden]);
            for (var expert = 0; expert < Experts; expert++)
            {
                yield return ($"{prefix}mlp.experts.{expert}.gate_proj.weight", [ExpertIntermediate, Hidden]);
                yield return ($"{prefix}mlp.experts.{expert}.up_proj.weight", [ExpertIntermediate, Hidden]);
                yield return ($"{prefix}mlp.experts.{expert}.down_proj.weight", [Hidden, ExpertIntermediate]);
            }

            yield break;
        }

        yield return (prefix + "mlp.gate_proj.weight", [Intermediate, Hidden]);
        yield return (prefix + "mlp.up_proj.weight", [Intermediate, Hidden]);
        yield return (prefix + "mlp.down_proj.weight", [Hidden, Intermediate]);
        if (FeedForwardBias)
        {
            yield return (prefix + "mlp.gate_proj.bias", [Intermediate]);
            yield return (prefix + "mlp.up_proj.bias", [Intermediate]);
            yield return (prefix + "mlp.down_proj.bias", [Hidden]);
        }
    }

    private IEnumerable<(string, long[])> GgufLayer(int layer)
    {
        var prefix = $"blk.{layer}.";
        yield return (prefix + "attn_norm.weight", [Hidden]);
        yield return (prefix + "ffn_norm.weight", [Hidden]);
        yield return (prefix + "attn_q.weight", [Heads * HeadDim, Hidden]);
        yield return (prefix + "attn_k.weight", [KvHeads * HeadDim, Hidden]);
        yield return (prefix + "attn_v.weight", [KvHeads * HeadDim, Hidden]);
        yield return (prefix + "attn_output.weight", [Hidden, Heads * HeadDim]);
        if (HasQkvBias)
        {
            yield return (prefix + "attn_q.bias", [Heads * HeadDim]);
            yield return (prefix + "attn_k.bias", [KvHeads * HeadDim]);
            yield return (prefix + "attn_v.bias", [KvHeads * HeadDim]);
        }

        if (AttentionBias)
        {
            yield return (prefix + "attn_output.bias", [Hidden]);
        }

        if (Architecture.StartsWith("qwen3", StringComparison.Ordinal))
        {
            yield return (prefix + "attn_q_norm.weight", [HeadDim]);
            yield return (prefix + "attn_k_norm.weight", [HeadDim]);
        }

        if (IsMoe)
        {
            yield return (prefix + "ffn_gate_inp.weight", [Experts, Hidden]);
            yield return (prefix + "ffn_gate_exps.weight", [Experts, ExpertIntermediate, Hidden]);
            yield return (prefix + "ffn_up_exps.weight", [Experts, ExpertIntermediate, Hidden]);
            yield return (prefix + "ffn_down_exps.weight", [Experts, Hidden, ExpertIntermediate]);
            yield break;
        }

        yield return (prefix + "ffn_gate.weight", [Intermediate, Hidden]);
        yield return (prefix + "ffn_up.weight", [Intermediate, Hidden]);
        yield return (prefix + "ffn_down.weight", [Hidden, Intermediate]);
        if (FeedForwardBias)
        {
            yield return (prefix + "ffn_gate.bias", [Intermediate]);
            yield return (prefix + "ffn_up.bias", [Intermediate]);
            yield return (prefix + "ffn_down.bias", [Hidden]);
        }
    }

    /// <summary>Random blocks. Every 16-bit scale is kept below 2 by clearing its exponent's top bit, so that values are finite.</summary>
    private byte[] Blocks(string name, TensorFormat format, long[] shape)
    {
        var bytes = new byte[format.RowBytes(shape[^1]) * shape[..^1].Aggregate(1L, (product, d) => product * d)];
        RandomOf(name).NextBytes(bytes);
        int[] scales = format switch
        {
            TensorFormat.F16 or TensorFormat.BF16 or TensorFormat.Q4_0 or TensorFormat.Q5_0 or TensorFormat.Q8_0 => [1],
            TensorFormat.Q6_K => [209],
            _ => [1, 3],
        };
        for (var block = 0; block < bytes.Length; block += format.BlockBytes())
        {
            foreach (var high in scales)
            {
                bytes[block + high] &= 0xBF;
            }
        }

        return bytes;
    }

    private Random RandomOf(string name)
    {
        // string.GetHashCode differs between runs.
        var seed = Seed;
        foreach (var c in name)
        {
            seed = unchecked((seed * 31) + c);
        }

        return new Random(seed);
    }
}
