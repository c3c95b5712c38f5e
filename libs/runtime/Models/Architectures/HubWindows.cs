namespace Parallax.Runtime.Models.Architectures;

/// <summary>Reads which layers of a config.json attend over a sliding window.</summary>
internal static class HubWindows
{
    private const string Sliding = "sliding_attention";
    private const string Full = "full_attention";

    /// <summary>All layers attend alike; <c>layer_types</c>, if there, must say the same.</summary>
    public static Func<int, int?> Uniform(HubFields config, int layers, int? window)
    {
        var expected = window is null ? Full : Sliding;
        if (LayerTypes(config, layers)?.FirstOrDefault(type => type != expected) is { } other)
        {
            throw config.Refuse("layer_types", $"has {other}; in this architecture all layers attend alike, here as {expected}");
        }

        return _ => window;
    }

    /// <summary>
    /// Qwen's way: with <c>use_sliding_window</c>, <c>layer_types</c> says which layers slide; without it, those from
    /// <c>max_window_layers</c> on.
    /// </summary>
    public static Func<int, int?> ByLayer(HubFields config, int layers)
    {
        var window = QwenWindow(config);
        var firstSliding = config.Count("max_window_layers", 28);
        if (LayerTypes(config, layers) is not { } types)
        {
            return layer => layer >= firstSliding ? window : null;
        }

        if (window is null && types.Contains(Sliding))
        {
            throw config.Refuse("layer_types", $"has {Sliding}, but use_sliding_window or sliding_window is not set");
        }

        return layer => types[layer] == Sliding ? window : null;
    }

    /// <summary>The window of a Qwen configuration, or null when it has none.</summary>
    public static int? QwenWindow(HubFields config)
    {
        var window = WindowOr(config, 4096);
        return config.Flag("use_sliding_window", false) ? window : null;
    }

    /// <summary><c>sliding_window</c>: null means none, absence <paramref name="absent"/>.</summary>
    public static int? WindowOr(HubFields config, int absent) =>
        config.IsNull("sliding_window") ? null : config.Size("sliding_window", absent);

    private static string[]? LayerTypes(HubFields config, int layers)
    {
        if (config.OptionalTexts("layer_types") is not { } types)
        {
            return null;
        }

        if (types.Length != layers)
        {
            throw config.Refuse("layer_types", $"has {types.Length} entries for {layers} layers");
        }

        return types.FirstOrDefault(type => type is not (Sliding or Full)) is { } unknown
            ? throw config.Refuse("layer_types", $"has {unknown}; supported are {Full} and {Sliding}")
            : types;
    }
}
