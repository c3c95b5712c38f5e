namespace Parallax.Cli.Chaos.Traffic;

/// <summary>How a request ended.</summary>
internal enum AskOutcome
{
    /// <summary>Complete; whether it is right is another question.</summary>
    Complete,

    /// <summary>It failed, or its rest could not be had.</summary>
    Lost,

    /// <summary>Nothing came for too long.</summary>
    Stuck,
}
