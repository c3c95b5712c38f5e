using System.Text.Json;
using Parallax.Placement;

namespace Parallax.Testing.Placement;

/// <summary>A model by its configuration alone, as the reference data gives it, and its sizes by formula.</summary>
public sealed record ModelDescription
{
    public required string Name { get; init; }

    public required int Layers { get; init; }

    public required int HiddenSize { get; init; }

    public required int IntermediateSize { get; init; }

    public required int Heads { get; init; }

    public required int KvHeads { get; init; }

    /// <summary>Elements of a query head, by which queries and outputs are counted.</summary>
    public required int HeadSize { get; init; }

    /// <summary>Elements of a key head and of a value head; under latent attention they differ from the query head's.</summary>
    public required (int Key, int Value) HeadDim { get; init; }

    public required int VocabularySize { get; init; }

    /// <summary>Count, taken per token, intermediate size; null for a dense model.</summary>
    public (int Count, int PerToken, int IntermediateSize)? Experts { get; init; }

    public bool IsTied { get; init; }

    /// <summary>Of a weight; 0.5 is four bits.</summary>
    public double ParameterBytes { get; init; } = 2;

    public double CacheBytes { get; init; } = 2;

    public double EmbeddingElementBytes { get; init; } = 2;

    /// <summary>What a weight takes on Apple silicon.</summary>
    public double MlxParameterBytes { get; init; } = 2;

    /// <summary>From the reference data's form.</summary>
    public static ModelDescription Parse(JsonElement model)
    {
        var head = model.GetProperty("head_size").GetInt32();
        var value = Optional("v_head_dim") ?? head;
        var key = Optional("qk_nope_head_dim") is { } nope ? nope + (Optional("qk_rope_head_dim") ?? 0) : head;
        var intermediate = model.GetProperty("intermediate_dim").GetInt32();
        return new ModelDescription
        {
            Name = model.GetProperty("model_name").GetString()!,
            Layers = model.GetProperty("num_layers").GetInt32(),
            HiddenSize = model.GetProperty("hidden_dim").GetInt32(),
            IntermediateSize = intermediate,
            Heads = model.GetProperty("num_attention_heads").GetInt32(),
            KvHeads = model.GetProperty("num_kv_heads").GetInt32(),
            HeadSize = head,
            HeadDim = (key, value),
            VocabularySize = model.GetProperty("vocab_size").GetInt32(),
            Experts = Optional("num_local_experts") is { } count ? (count, Optional("num_experts_per_tok") ?? 1, Optional("moe_intermediate_dim") ?? intermediate) : null,
            IsTied = model.GetProperty("tie_embedding").GetBoolean(),
            ParameterBytes = model.GetProperty("param_bytes_per_element").GetDouble(),
            MlxParameterBytes = model.GetProperty("mlx_param_bytes_per_element").GetDouble(),
            CacheBytes = model.GetProperty("cache_bytes_per_element").GetDouble(),
            EmbeddingElementBytes = model.GetProperty("embedding_bytes_per_element").GetDouble(),
        };

        int? Optional(string name) => model.GetProperty(name) is { ValueKind: JsonValueKind.Number } number ? number.GetInt32() : null;
    }

    /// <summary>Sizes and work.</summary>
    public ModelShape ToShape()
    {
        long hidden = HiddenSize;
        var attention = (2 * hidden * Heads * HeadSize) + (hidden * KvHeads * (HeadDim.Key + HeadDim.Value));
        var expert = 3 * hidden * (Experts?.IntermediateSize ?? IntermediateSize);
        var layer = new LayerShape(
            (long)(ParameterBytes * (attention + (expert * (Experts?.Count ?? 1)))),
            (long)(CacheBytes * KvHeads * (HeadDim.Key + HeadDim.Value)),
            2.0 * (attention + (expert * (Experts?.PerToken ?? 1))))
        {
            FlopsPerContextToken = 2.0 * Heads * (HeadDim.Key + HeadDim.Value),
            Experts = Experts is { } moe ? new ExpertShape(moe.Count, moe.PerToken, (long)(ParameterBytes * expert)) : null,
        };
        var table = (long)(EmbeddingElementBytes * VocabularySize * hidden);
        return new ModelShape(
            Name, "", [.. Enumerable.Repeat(layer, Layers)], table, table, IsTied, 2.0 * VocabularySize * hidden, 2 * hidden);
    }
}
