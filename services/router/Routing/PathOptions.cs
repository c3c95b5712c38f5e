namespace Parallax.Router.Routing;

/// <summary>How paths are weighed.</summary>
internal sealed record PathOptions
{
    /// <summary>By what paths are chosen. Default: by what they cost.</summary>
    public PathRule Rule { get; init; } = PathRule.Cheapest;

    /// <summary>
    /// Share of a round trip that a hop takes. Links stream, nobody waits for an answer: default 0.5, so that the hops of
    /// a ring of two add up to one round trip.
    /// </summary>
    public double RoundTripShare { get; init; } = 0.5;

    /// <summary>
    /// Weight of the hop from the tail back to the head, 0 to 1. Default 1: a token must get there before the next step
    /// begins. It carries an id and no hidden state, so it has no transfer time.
    /// </summary>
    public double ClosingHopWeight { get; init; } = 1;

    /// <summary>Assumed round trip in milliseconds where none is known of any pair; else it is the median of the known ones.</summary>
    public double UnknownRoundTripMs { get; init; } = 20;

    /// <summary>By how much an assumed round trip is dearer than a measured one.</summary>
    public double UnknownRoundTripPenalty { get; init; } = 1.5;

    /// <summary>What a link carries, in bytes a second. Default: a gigabit.</summary>
    public double LinkBytesPerSecond { get; init; } = 125e6;

    /// <summary>Paths that cost at most this share more than the best are as good: one of them is drawn. Default 5 %.</summary>
    public double NearShare { get; init; } = 0.05;

    /// <summary>The path that was taken last is kept while it costs at most this share more than the best. Default 10 %.</summary>
    public double KeepShare { get; init; } = 0.1;
}
