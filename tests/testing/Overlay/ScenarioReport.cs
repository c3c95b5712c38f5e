namespace Parallax.Testing.Overlay;

/// <summary>What a simulated scenario gave.</summary>
internal sealed record ScenarioReport
{
    public required int Peers { get; init; }

    public int Left { get; set; }

    public int Joined { get; set; }

    /// <summary>Gets of records that somebody must hold.</summary>
    public int Gets { get; set; }

    public int Found { get; set; }

    /// <summary>Gets of which the record was older than one that had been acknowledged before.</summary>
    public int Stale { get; set; }

    /// <summary>Gets that found a record whose publisher has been gone for longer than its lease.</summary>
    public int Ghosts { get; set; }

    /// <summary>Gets that looked for such a record.</summary>
    public int GhostGets { get; set; }

    public List<int> Hops { get; } = [];

    public List<int> Asked { get; } = [];

    public List<double> Milliseconds { get; } = [];

    /// <summary>Calls a peer made a second, on average.</summary>
    public double CallsPerPeerSecond { get; set; }

    public double TableSize { get; set; }

    public double FoundShare => Gets == 0 ? 0 : (double)Found / Gets;

    public static T At<T>(List<T> values, double share) => values.Order().ElementAt((int)Math.Min(values.Count - 1, share * values.Count));
}
