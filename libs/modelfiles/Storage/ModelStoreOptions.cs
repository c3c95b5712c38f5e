namespace Parallax.ModelFiles.Storage;

/// <summary>Where models are looked for and kept.</summary>
public sealed class ModelStoreOptions
{
    /// <summary>Models on this machine: .gguf files, model folders, or folders of them (one level deep). They are only read.</summary>
    public IReadOnlyList<string> Paths { get; set; } = [];

    /// <summary>Where fetched models and manifests are kept; default: parallax/models in the user's application data.</summary>
    public string CacheFolder { get; set; } = DefaultCacheFolder;

    /// <summary>Streams of chunks that are read at once; default 8, of which 2 from one peer.</summary>
    public int MaxFetchStreams { get; set; } = 8;

    /// <summary>Streams of chunks, and as many of manifests, that are served at once; each holds one chunk (at most 4 MiB) in memory. Default 8.</summary>
    public int MaxServeStreams { get; set; } = 8;

    /// <summary>How long a peer may send, or take, nothing before it is given up; default 20 s.</summary>
    public TimeSpan Patience { get; set; } = TimeSpan.FromSeconds(20);

    /// <summary>parallax/models in the user's application data.</summary>
    public static string DefaultCacheFolder { get; } = Path.Combine(
        Environment.GetFolderPath(Environment.SpecialFolder.LocalApplicationData, Environment.SpecialFolderOption.DoNotVerify), "parallax", "models");
}
