namespace Parallax.Scheduler.Planning;

/// <summary>When to plan next. Times are the process's uptime.</summary>
/// <param name="LastPlanned">When the last planning was.</param>
/// <param name="FirstChange">The first change since then; null: none.</param>
/// <param name="LastChange">The last one.</param>
/// <param name="IsUrgent">Whether it must not wait.</param>
/// <param name="HasJoined">Whether somebody has joined, or started anew, since then.</param>
internal readonly record struct PlanTiming(TimeSpan LastPlanned, TimeSpan? FirstChange, TimeSpan LastChange, bool IsUrgent, bool HasJoined = false)
{
    public PlanTiming With(SwarmChange change, TimeSpan now) => change == SwarmChange.None
        ? this
        : this with { FirstChange = FirstChange ?? now, LastChange = now, IsUrgent = IsUrgent || change == SwarmChange.PipelineLost };

    /// <summary>Plan as soon as that is allowed.</summary>
    public PlanTiming Urgently(TimeSpan now) => With(SwarmChange.PipelineLost, now);

    /// <summary>The planning has been done.</summary>
    public static PlanTiming Planned(TimeSpan now) => new(now, null, TimeSpan.Zero, false);

    public TimeSpan DueAt(SchedulerSettings settings)
    {
        if (FirstChange is not { } first)
        {
            return LastPlanned + settings.RebalancePeriod;
        }

        var patient = LastChange + settings.Debounce;
        var latest = first + settings.MostDebounce;
        return IsUrgent ? first : patient < latest ? patient : latest;
    }
}
