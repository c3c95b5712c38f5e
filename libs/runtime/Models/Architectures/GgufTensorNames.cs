namespace Parallax.Runtime.Models.Architectures;

/// <summary>The names of GGUF files; the experts of a layer are slices of one tensor per projection.</summary>
internal sealed class GgufTensorNames : ITensorNames
{
    public TensorRef Embedding => new("token_embd.weight");

    public TensorRef FinalNorm => new("output_norm.weight");

    public TensorRef Head => new("output.weight");

    public bool StackedExperts => true;

    public TensorRef Layer(int layer, LayerTensor tensor, bool bias = false) =>
        new($"blk.{layer}.{Name(tensor)}.{(bias ? "bias" : "weight")}");

    public TensorRef Expert(int layer, int expert, LayerTensor tensor) => new($"blk.{layer}.{Name(tensor)}_exps.weight", expert);

    private static string Name(LayerTensor tensor) => tensor switch
    {
        LayerTensor.AttentionNorm => "attn_norm",
        LayerTensor.Query => "attn_q",
        LayerTensor.Key => "attn_k",
        LayerTensor.Value => "attn_v",
        LayerTensor.Output => "attn_output",
        LayerTensor.QueryNorm => "attn_q_norm",
        LayerTensor.KeyNorm => "attn_k_norm",
        LayerTensor.FeedForwardNorm => "ffn_norm",
        LayerTensor.Gate => "ffn_gate",
        LayerTensor.Up => "ffn_up",
        LayerTensor.Down => "ffn_down",
        LayerTensor.Router => "ffn_gate_inp",
        _ => throw new ArgumentOutOfRangeException(nameof(tensor), tensor, "unknown parameter"),
    };
}
