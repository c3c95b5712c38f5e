namespace Parallax.Cli.Chaos.Traffic;

/// <summary>
/// How long clients waited because of each fault: the longest time between two arrivals of one stream that reaches beyond
/// the fault and began before its effect was over. Of several streams the one that waited longest counts. Thread-safe;
/// times are given.
/// </summary>
/// <param name="clock">Turns timestamps into times; its present is not looked at.</param>
internal sealed class GapLedger(TimeProvider clock)
{
    /// <summary>An effect may begin so long after its fault: what is on its way still comes.</summary>
    private static readonly TimeSpan Settle = TimeSpan.FromSeconds(1);

    /// <summary>An arrival is compared with so many of the last faults.</summary>
    private const int Recent = 64;

    private readonly Lock _lock = new(); // guards _entries
    private readonly List<Entry> _entries = [];

    /// <summary>A fault happened.</summary>
    /// <param name="at">When.</param>
    /// <param name="lasts">How long it lasts.</param>
    /// <returns>Its number here.</returns>
    public int Add(long at, TimeSpan lasts)
    {
        lock (_lock)
        {
            _entries.Add(new Entry(at, lasts + Settle));
            return _entries.Count - 1;
        }
    }

    /// <summary>Tokens came to a stream.</summary>
    public void OnArrival(Arrival arrival)
    {
        if (arrival.Before is not { } before)
        {
            return; // before the first token clients wait anyhow
        }

        lock (_lock)
        {
            for (var i = _entries.Count - 1; i >= Math.Max(0, _entries.Count - Recent); i--)
            {
                var entry = _entries[i];
                var waited = clock.GetElapsedTime(before, arrival.At);
                if (arrival.At > entry.At && clock.GetElapsedTime(entry.At, before) <= entry.Effect && waited > (entry.Longest ?? TimeSpan.Zero))
                {
                    (entry.Longest, entry.EndedAt) = (waited, arrival.At);
                }
            }
        }
    }

    /// <summary>The gap of a fault; null when nobody was reading.</summary>
    public TimeSpan? GapOf(int fault)
    {
        lock (_lock)
        {
            return _entries[fault].Longest;
        }
    }

    /// <summary>When the gap of a fault ended, as a timestamp; null when nobody was reading.</summary>
    public long? EndOf(int fault)
    {
        lock (_lock)
        {
            return _entries[fault].Longest is null ? null : _entries[fault].EndedAt;
        }
    }

    private sealed class Entry(long at, TimeSpan effect)
    {
        public long At { get; } = at;

        public TimeSpan Effect { get; } = effect;

        public TimeSpan? Longest { get; set; }

        public long EndedAt { get; set; }
    }
}
