namespace Parallax.Runtime.Models.Architectures;

/// <summary>Mistral: Llama whose layers all attend over a sliding window. GGUF files call it llama.</summary>
internal sealed class MistralArchitecture : IHubArchitecture
{
    public string HubName => "mistral";

    public DecoderOutline FromHub(HubFields config)
    {
        var decoder = HubDecoder.Read(config, absentKvHeads: 8);
        return decoder with { Window = HubWindows.Uniform(config, decoder.LayerCount, HubWindows.WindowOr(config, 4096)) };
    }
}
