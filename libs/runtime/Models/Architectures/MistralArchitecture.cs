namespace Parallax.Runtime.Models.Architectures;

/// <summary>Mistral: Llama whose layers all attend over a sliding window. GGUF files call it llama.</summary>
internal sealed class MistralArchitecture : IHubArchitecture
{
    public string HubName => "mistral";

    public DecoderOutline FromHub(HubFields config)
    {
        var decoder = HubDecoder.Read(config, absentKvHeads: 8);
        var window = HubWindows.WindowOr(config, 4096);
        if (window is not null && !config.Flag("use_sliding_window", true))
        {
            throw config.Refuse("use_sliding_window", $"is false, but sliding_window is {window}; this architecture uses every window it has");
        }

        return decoder with { Window = HubWindows.Uniform(config, decoder.LayerCount, window) };
    }
}
