namespace Parallax.Cli.Chaos.Traffic;

/// <summary>A request that has ended.</summary>
/// <param name="Outcome">How.</param>
/// <param name="Answer">What came of its answer.</param>
/// <param name="Problem">What went wrong, for people; empty if nothing.</param>
internal sealed record AskResult(AskOutcome Outcome, StreamedAnswer Answer, string Problem)
{
    /// <summary>How often a broken stream was resumed.</summary>
    public int Resumed { get; init; }

    /// <summary>How often the request was sent again from the beginning.</summary>
    public int Restarted { get; init; }

    /// <summary>How often it was refused before it was taken (429, 503).</summary>
    public int Refused { get; init; }

    /// <summary>When it was first sent, when its first and its last token came, as timestamps of the clock; 0 for never.</summary>
    public (long Sent, long First, long Last) Times { get; init; }
}
