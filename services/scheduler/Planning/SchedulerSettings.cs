using Parallax.Placement;

namespace Parallax.Scheduler.Planning;

/// <summary>Times and preferences of planning.</summary>
internal sealed record SchedulerSettings
{
    /// <summary>A change is planned for when nothing else has changed for this long.</summary>
    public TimeSpan Debounce { get; init; } = TimeSpan.FromMilliseconds(500);

    /// <summary>And at the latest this long after it.</summary>
    public TimeSpan MostDebounce { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>How often measurements alone are looked at.</summary>
    public TimeSpan RebalancePeriod { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>How long a scheduler that has just started waits to see the workers of the plan it found.</summary>
    public TimeSpan SettleTime { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>How long a worker may leave undone what it was told before others get its layers.</summary>
    public TimeSpan StallTime { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>How long it then gets nothing.</summary>
    public TimeSpan StallPause { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>Models at once.</summary>
    public int MostModels { get; init; } = 64;

    /// <summary>Pins, and removed workers that are remembered.</summary>
    public int MostMarks { get; init; } = 4096;

    /// <summary>How placement weighs.</summary>
    public AllocationOptions Allocation { get; init; } = new();
}
