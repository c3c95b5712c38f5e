namespace Parallax.Cli.Chaos.Traffic;

/// <summary>What became of the requests so far.</summary>
/// <param name="Started">Requests sent.</param>
/// <param name="Complete">Complete and right.</param>
/// <param name="Lost">Failed, or cut off.</param>
/// <param name="Changed">Complete, with another answer than without faults.</param>
/// <param name="Stuck">Silent for too long.</param>
/// <param name="Tokens">Tokens that came to clients.</param>
/// <param name="Resumed">Streams that were resumed after their connection broke.</param>
/// <param name="Restarted">Requests that were sent again from the beginning.</param>
/// <param name="Refused">Refusals (429, 503) before a request was taken.</param>
internal sealed record TrafficTally(
    int Started, int Complete, int Lost, int Changed, int Stuck, long Tokens, int Resumed, int Restarted, int Refused)
{
    /// <summary>Requests that ended as they must not.</summary>
    public int Bad => Lost + Changed + Stuck;
}
