namespace Parallax.Router.Sessions;

/// <summary>The times of a link to a worker.</summary>
internal sealed record WorkerLinkOptions
{
    /// <summary>How long GetInfo and Welcome may take.</summary>
    public TimeSpan ConnectTime { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>The pause after the first failed connection; doubled with each further one.</summary>
    public TimeSpan FirstPause { get; init; } = TimeSpan.FromMilliseconds(100);

    /// <summary>The longest pause between connections.</summary>
    public TimeSpan LongestPause { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Leases are renewed this often (they run for 60 s).</summary>
    public TimeSpan RenewEvery { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>The watch on sessions looks this often.</summary>
    public TimeSpan WatchEvery { get; init; } = TimeSpan.FromMilliseconds(500);

    /// <summary>The worker is asked for a sign of life this often; dead after four of them without one (adapted to jitter).</summary>
    public TimeSpan PingEvery { get; init; } = TimeSpan.FromMilliseconds(250);

    /// <summary>A lost control stream that is not back after so long counts as a lost worker.</summary>
    public TimeSpan UnreachableAfter { get; init; } = TimeSpan.FromMilliseconds(300);

    /// <summary>Sessions of a worker that stays away for so long are given up.</summary>
    public TimeSpan GiveUpAfter { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>When sessions are moved away from a worker; null for the defaults.</summary>
    public FailoverOptions? Failover { get; init; }

    /// <summary>The watch's times.</summary>
    public WatchLimits Watch { get; init; } = new(TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(10), TimeSpan.FromSeconds(20));
}
