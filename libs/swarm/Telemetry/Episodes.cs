namespace Parallax.Swarm.Telemetry;

/// <summary>
/// Groups events that come in masses into episodes, so that each episode is told of once: one is over when nothing has
/// happened for a while. The time comes with each call. Thread-safe.
/// </summary>
/// <param name="quiet">How long nothing happens between two episodes.</param>
internal sealed class Episodes(TimeSpan quiet)
{
    private readonly Lock _lock = new(); // guards _last
    private TimeSpan? _last;

    /// <summary>An event; true when it begins an episode.</summary>
    public bool Begins(TimeSpan now)
    {
        lock (_lock)
        {
            var begins = _last is not { } last || now - last > quiet;
            _last = now;
            return begins;
        }
    }
}
