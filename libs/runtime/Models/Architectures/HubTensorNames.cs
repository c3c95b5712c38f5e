namespace Parallax.Runtime.Models.Architectures;

/// <summary>The names that checkpoints of the Llama family have on the hub.</summary>
internal sealed class HubTensorNames : ITensorNames
{
    public TensorRef Embedding => new("model.embed_tokens.weight");

    public TensorRef FinalNorm => new("model.norm.weight");

    public TensorRef Head => new("lm_head.weight");

    public bool StackedExperts => false;

    public TensorRef Layer(int layer, LayerTensor tensor, bool bias = false) =>
        new($"model.layers.{layer}.{Name(tensor)}.{(bias ? "bias" : "weight")}");

    public TensorRef Expert(int layer, int expert, LayerTensor tensor) =>
        new($"model.layers.{layer}.mlp.experts.{expert}.{Projection(tensor)}.weight");

    private static string Name(LayerTensor tensor) => tensor switch
    {
        LayerTensor.AttentionNorm => "input_layernorm",
        LayerTensor.Query => "self_attn.q_proj",
        LayerTensor.Key => "self_attn.k_proj",
        LayerTensor.Value => "self_attn.v_proj",
        LayerTensor.Output => "self_attn.o_proj",
        LayerTensor.QueryNorm => "self_attn.q_norm",
        LayerTensor.KeyNorm => "self_attn.k_norm",
        LayerTensor.FeedForwardNorm => "post_attention_layernorm",
        LayerTensor.Router => "mlp.gate",
        _ => "mlp." + Projection(tensor),
    };

    private static string Projection(LayerTensor tensor) => tensor switch
    {
        LayerTensor.Gate => "gate_proj",
        LayerTensor.Up => "up_proj",
        LayerTensor.Down => "down_proj",
        _ => throw new ArgumentOutOfRangeException(nameof(tensor), tensor, "not a feed-forward projection"),
    };
}
