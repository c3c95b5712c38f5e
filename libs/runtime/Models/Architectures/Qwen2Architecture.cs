using Parallax.Runtime.Weights;

namespace Parallax.Runtime.Models.Architectures;

/// <summary>Qwen2 and Qwen2.5: Llama with biases on query, key and value; later layers may slide.</summary>
internal sealed class Qwen2Architecture : IHubArchitecture, IGgufArchitecture
{
    public string HubName => "qwen2";

    public string GgufName => "qwen2";

    public DecoderOutline FromHub(HubFields config)
    {
        var decoder = HubDecoder.Read(config, absentKvHeads: 32);
        return decoder with { QkvBias = true, Window = HubWindows.ByLayer(config, decoder.LayerCount) };
    }

    public DecoderOutline FromGguf(GgufFields metadata, TensorTable tensors) =>
        GgufDecoder.Read(metadata, tensors, RopeLayout.Halves) with { QkvBias = true };
}
