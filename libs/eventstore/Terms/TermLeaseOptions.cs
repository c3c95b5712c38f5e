namespace Parallax.EventStore.Terms;

/// <summary>Times of a lease. All who compete for it must use the same.</summary>
public sealed record TermLeaseOptions
{
    /// <summary>A term ends when it has not been renewed for this long.</summary>
    public TimeSpan Lease { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>How often its holder renews it.</summary>
    public TimeSpan RenewPeriod { get; init; } = TimeSpan.FromMilliseconds(500);

    /// <summary>How often whoever waits for it looks.</summary>
    public TimeSpan PollPeriod { get; init; } = TimeSpan.FromMilliseconds(150);
}
