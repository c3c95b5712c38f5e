namespace Parallax.Scheduler.Planning;

/// <summary>
/// When layers may move for mere gain. What is measured while layers move, or just after, is of the moving: plans that followed
/// such figures would move layers without end. So nothing moves for gain until a while after the last move, and twice as long
/// after each time that it did, until somebody joins. Pure; times are the process's uptime.
/// </summary>
/// <param name="LastMoved">When a plan last moved layers, for whatever reason.</param>
/// <param name="InSuccession">How often since the last joining it was for gain.</param>
internal readonly record struct RebalancePause(TimeSpan LastMoved, int InSuccession)
{
    private const int MostDoublings = 6;

    /// <summary>Whether layers may move for gain.</summary>
    public bool IsOver(TimeSpan now, SchedulerSettings settings) =>
        now >= LastMoved + (settings.RebalancePeriod * (1 << Math.Min(InSuccession, MostDoublings)));

    /// <summary>A plan has moved layers.</summary>
    public RebalancePause Moved(TimeSpan now, bool isForGain) => new(now, isForGain ? InSuccession + 1 : InSuccession);

    /// <summary>Somebody has joined, or has started anew.</summary>
    public RebalancePause Joined() => this with { InSuccession = 0 };
}
