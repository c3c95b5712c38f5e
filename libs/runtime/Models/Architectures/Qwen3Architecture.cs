using Parallax.Runtime.Weights;

namespace Parallax.Runtime.Models.Architectures;

/// <summary>Qwen3: every head of queries and keys is normed before rotation; later layers may slide.</summary>
internal sealed class Qwen3Architecture : IHubArchitecture, IGgufArchitecture
{
    public string HubName => "qwen3";

    public string GgufName => "qwen3";

    public DecoderOutline FromHub(HubFields config)
    {
        var decoder = HubDecoder.Read(config, absentKvHeads: 32, absentHeadDim: 128);
        var bias = config.Flag("attention_bias", false);
        return decoder with
        {
            QkvBias = bias,
            OutputBias = bias,
            QkNorm = true,
            Window = HubWindows.ByLayer(config, decoder.LayerCount),
        };
    }

    public DecoderOutline FromGguf(GgufFields metadata, TensorTable tensors) =>
        GgufDecoder.Read(metadata, tensors, RopeLayout.Halves) with { QkNorm = true };
}
