namespace Parallax.Router.Access.Quotas;

/// <summary>Counts the tokens of a day (UTC): those that were used, and those that running requests may use yet. Pure; not thread-safe.</summary>
internal sealed class DayTokens
{
    /// <summary>The day.</summary>
    public DateOnly Day { get; private set; }

    /// <summary>Tokens that were used.</summary>
    public long Used { get; private set; }

    /// <summary>Tokens that running requests have set aside.</summary>
    public long Reserved { get; private set; }

    /// <summary>Used and set aside.</summary>
    public long Taken => Used + Reserved;

    /// <summary>The day of a time.</summary>
    public static DateOnly DayOf(DateTimeOffset time) => DateOnly.FromDateTime(time.UtcDateTime);

    /// <summary>How long until the next day.</summary>
    public static TimeSpan UntilNextDay(DateTimeOffset now) => TimeSpan.FromDays(1) - now.UtcDateTime.TimeOfDay;

    /// <summary>Begins a new day if it is one; a clock that is set back begins none.</summary>
    public void Advance(DateTimeOffset now)
    {
        if (DayOf(now) > Day)
        {
            (Day, Used, Reserved) = (DayOf(now), 0, 0);
        }
    }

    /// <summary>Sets tokens aside on the day that it is.</summary>
    public void Reserve(long tokens) => Reserved += tokens;

    /// <summary>Puts what was used in place of what was set aside, if the day is still the same.</summary>
    public void Settle(DateOnly day, long reserved, long used)
    {
        if (day == Day)
        {
            Reserved -= reserved;
            Used += used;
        }
    }
}
