using Parallax.Runtime.Weights;

namespace Parallax.Runtime.Models.Architectures;

/// <summary>Qwen3-MoE: Qwen3's attention; sparse layers have a mixture of experts. A window holds for all layers.</summary>
internal sealed class Qwen3MoeArchitecture : IHubArchitecture, IGgufArchitecture
{
    public string HubName => "qwen3_moe";

    public string GgufName => "qwen3moe";

    public DecoderOutline FromHub(HubFields config)
    {
        var decoder = HubDecoder.Read(config, absentKvHeads: 4);
        var bias = config.Flag("attention_bias", false);
        return decoder with
        {
            QkvBias = bias,
            OutputBias = bias,
            QkNorm = true,
            Window = HubWindows.Uniform(config, decoder.LayerCount, Window(config)),
            Moe = HubMoe(config),
        };
    }

    public DecoderOutline FromGguf(GgufFields metadata, TensorTable tensors)
    {
        var decoder = GgufDecoder.Read(metadata, tensors, RopeLayout.Halves);
        if (metadata.Count("expert_gating_func", 1) is not 1 and var gating)
        {
            throw metadata.Refuse("expert_gating_func", $"is {gating}, supported is 1 (softmax)");
        }

        if (metadata.OptionalNumber("expert_weights_scale") is { } scale and not (0.0 or 1.0))
        {
            throw metadata.Refuse("expert_weights_scale", $"is {scale}, supported is 1");
        }

        var names = new GgufTensorNames();
        var used = metadata.Size("expert_used_count");
        return decoder with
        {
            QkNorm = true,
            Moe = new MoeOutline(
                metadata.Size("expert_count"),
                used,
                metadata.Size("expert_feed_forward_length", Math.Max(1, decoder.IntermediateSize / used)),
                metadata.Flag("expert_weights_norm", true),
                layer => tensors.TryGet(names.Layer(layer, LayerTensor.Router).Name, out _)),
        };
    }

    private static int? Window(HubFields config)
    {
        var window = HubWindows.QwenWindow(config);
        if (config.Count("max_window_layers", 0) is > 0 and var first && window is not null)
        {
            throw config.Refuse("max_window_layers", $"is {first} with a sliding window in use; in this architecture the window holds for all layers, so only 0 or absence is clear");
        }

        return window;
    }

    private static MoeOutline HubMoe(HubFields config)
    {
        var experts = config.OptionalSize("num_local_experts");
        var otherName = config.OptionalSize("num_experts");
        if (experts is not null && otherName is not null && experts != otherName)
        {
            throw config.Refuse("num_experts", $"is {otherName}, but num_local_experts is {experts}");
        }

        var step = config.Size("decoder_sparse_step", 1);
        var dense = (config.OptionalIntegers("mlp_only_layers") ?? []).ToHashSet();
        return new MoeOutline(
            experts ?? otherName ?? 128,
            config.Size("num_experts_per_tok", 8),
            config.Size("moe_intermediate_size", 768),
            config.Flag("norm_topk_prob", false),
            layer => !dense.Contains(layer) && (layer + 1) % step == 0);
    }
}
