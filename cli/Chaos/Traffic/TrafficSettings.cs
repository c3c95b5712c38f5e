namespace Parallax.Cli.Chaos.Traffic;

/// <summary>How clients ask.</summary>
internal sealed record TrafficSettings
{
    /// <summary>Clients at once; each asks one question after the other.</summary>
    public int Clients { get; init; } = 4;

    /// <summary>How long nothing may come before an answer counts as stuck.</summary>
    public TimeSpan StuckAfter { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>Requests after which the clients stop; null: when they are told to.</summary>
    public int? Requests { get; init; }

    /// <summary>Whether every other request finds the prompts of earlier ones in the prefix caches; else none does.</summary>
    public bool SharesPrefixes { get; init; } = true;

    /// <summary>What clients do whose stream breaks off.</summary>
    public OnBreak OnBreak { get; init; } = OnBreak.Resume;
}
