namespace Parallax.ModelFiles.Hub;

/// <summary>Where models are downloaded from by name.</summary>
public sealed class HubOptions
{
    /// <summary>The hub; default https://huggingface.co.</summary>
    public Uri Address { get; set; } = new("https://huggingface.co");

    /// <summary>Sent to the hub (and not where it redirects to) as a bearer token; null for none.</summary>
    public string? Token { get; set; }

    /// <summary>How long the hub may send nothing; default 60 s.</summary>
    public TimeSpan Patience { get; set; } = TimeSpan.FromSeconds(60);

    /// <summary>First pause before trying again, doubled each time; default 500 ms.</summary>
    public TimeSpan FirstPause { get; set; } = TimeSpan.FromMilliseconds(500);

    /// <summary>As the environment says: PARALLAX_HUB and PARALLAX_HUB_TOKEN.</summary>
    /// <exception cref="ModelFilesException">PARALLAX_HUB is no address.</exception>
    public static HubOptions FromEnvironment()
    {
        var options = new HubOptions { Token = Environment.GetEnvironmentVariable("PARALLAX_HUB_TOKEN") is { Length: > 0 } token ? token : null };
        if (Environment.GetEnvironmentVariable("PARALLAX_HUB") is { Length: > 0 } text)
        {
            options.Address = Uri.TryCreate(text, UriKind.Absolute, out var address) && address.Scheme is "http" or "https"
                ? address
                : throw new ModelFilesException(ModelFilesProblem.Hub, $"PARALLAX_HUB is '{text}'; it names a hub like https://huggingface.co.");
        }

        return options;
    }
}
