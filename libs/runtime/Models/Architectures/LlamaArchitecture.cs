using Parallax.Runtime.Weights;

namespace Parallax.Runtime.Models.Architectures;

/// <summary>
/// Llama. GGUF files of this name are Llama and Mistral: their query and key rows are permuted for interleaved rotary
/// pairs, Llama 3's frequency scaling is a tensor, and a sliding window holds for all layers.
/// </summary>
internal sealed class LlamaArchitecture : IHubArchitecture, IGgufArchitecture
{
    public string HubName => "llama";

    public string GgufName => "llama";

    public DecoderOutline FromHub(HubFields config)
    {
        var decoder = HubDecoder.Read(config);
        var bias = config.Flag("attention_bias", false);
        return decoder with
        {
            QkvBias = bias,
            OutputBias = bias,
            FeedForwardBias = config.Flag("mlp_bias", false),
            Window = HubWindows.Uniform(config, decoder.LayerCount, window: null),
        };
    }

    public DecoderOutline FromGguf(GgufFields metadata, TensorTable tensors)
    {
        if (metadata.Count("expert_count", 0) is > 0 and var experts)
        {
            throw metadata.Refuse("expert_count", $"is {experts}: Llama-type mixtures of experts (Mixtral) are not supported");
        }

        metadata.Count("expert_used_count", 0);
        var decoder = GgufDecoder.Read(metadata, tensors, RopeLayout.Interleaved);
        var window = metadata.Count("attention.sliding_window", 0);
        return decoder with
        {
            Rope = decoder.Rope with { FrequencyDivisors = GgufDecoder.FrequencyDivisors(tensors, decoder.Rope.RotaryDim) },
            Window = _ => window == 0 ? null : window,
        };
    }
}
