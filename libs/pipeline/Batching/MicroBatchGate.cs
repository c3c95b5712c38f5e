namespace Parallax.Pipeline.Batching;

/// <summary>
/// Decides when the head may launch a decode micro-batch, and of how many rows: per path (key: the next hop's id) at most
/// M groups are on their way, each of about an M-th of the decoding sessions. Pure: times are parameters. For one thread.
/// </summary>
/// <remarks>
/// A group's tokens arrive together, so the first one gives its permit back. So does a group that all of its sessions have
/// left, and one that is late: a cut link, or a stage that is being refilled, must not hold up the sessions that could
/// go on. What comes back late still counts as a measurement, or a ring that has become slower would look late forever.
/// </remarks>
internal sealed class MicroBatchGate
{
    /// <summary>A group is late after this many smoothed ring times.</summary>
    internal const int LateRings = 4;

    /// <summary>No group is late before this: shorter pauses are a scheduler's or a garbage collector's.</summary>
    internal static readonly TimeSpan LeastLate = TimeSpan.FromMilliseconds(20);

    /// <summary>When a group is late before any ring time has been measured.</summary>
    internal static readonly TimeSpan LateUnmeasured = TimeSpan.FromSeconds(1);

    private readonly Dictionary<string, Ring> _rings = new(StringComparer.Ordinal);
    private long _lastGroup;

    /// <summary>How many sessions may be launched now; the caller picks those that have been ready for longest.</summary>
    /// <param name="path">The sessions' next hop.</param>
    /// <param name="microBatches">M: groups that may be on their way at once.</param>
    /// <param name="decoding">The path's decoding sessions, wherever their rows are.</param>
    /// <param name="ready">Those whose token has come back.</param>
    /// <param name="now">The time.</param>
    public int Allowance(string path, int microBatches, int decoding, int ready, TimeSpan now)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(microBatches, 1);
        return _rings.TryGetValue(path, out var ring) && ring.CountInFlight(now) >= microBatches
            ? 0
            : Math.Min(ready, (decoding + microBatches - 1) / microBatches);
    }

    /// <summary>Notes a launch.</summary>
    /// <returns>The group's number, for <see cref="Returned"/> and <see cref="Left"/>.</returns>
    public long Launch(string path, int sessions, TimeSpan now)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(sessions, 1);
        if (!_rings.TryGetValue(path, out var ring))
        {
            ring = new Ring();
            _rings.Add(path, ring);
        }

        ring.Add(++_lastGroup, sessions, now);
        return _lastGroup;
    }

    /// <summary>A token of one of the group's sessions has come back. A second one changes nothing.</summary>
    public void Returned(string path, long group, TimeSpan now)
    {
        if (_rings.TryGetValue(path, out var ring))
        {
            ring.Return(group, now);
        }
    }

    /// <summary>One of the group's sessions ended, was evicted or changed its path before its token came back.</summary>
    public void Left(string path, long group)
    {
        if (_rings.TryGetValue(path, out var ring))
        {
            ring.Leave(group);
        }
    }

    /// <summary>When the allowance may change by time alone: the next group is late; TimeSpan.MaxValue for never.</summary>
    public TimeSpan NextDue(string path, TimeSpan now) =>
        _rings.TryGetValue(path, out var ring) ? ring.NextDue(now) : TimeSpan.MaxValue;

    /// <summary>From launch to first token, smoothed; null before the first measurement.</summary>
    public TimeSpan? RingTime(string path) => _rings.TryGetValue(path, out var ring) ? ring.Smoothed : null;

    /// <summary>Groups that hold a permit.</summary>
    public int InFlight(string path, TimeSpan now) => _rings.TryGetValue(path, out var ring) ? ring.CountInFlight(now) : 0;

    /// <summary>Forgets a path that has no sessions any more, with all that was measured of it.</summary>
    public void Forget(string path) => _rings.Remove(path);

    /// <summary>One path's groups, oldest first. A late group stays in the list, without a permit, to be measured.</summary>
    private sealed class Ring
    {
        // Late groups whose sessions neither return nor leave would be a caller's mistake; it shall not cost memory.
        private const int MostGroups = 256;

        private readonly List<Group> _groups = [];

        public TimeSpan? Smoothed { get; private set; }

        private TimeSpan Late =>
            Smoothed is not { } smoothed ? LateUnmeasured : smoothed * LateRings > LeastLate ? smoothed * LateRings : LeastLate;

        public void Add(long number, int sessions, TimeSpan now)
        {
            if (_groups.Count == MostGroups)
            {
                _groups.RemoveAt(0);
            }

            _groups.Add(new Group(number, sessions, now));
        }

        public void Return(long number, TimeSpan now)
        {
            if (Find(number) is not (>= 0 and var index))
            {
                return;
            }

            // As TCP smooths its round trips: an eighth of each new one.
            var ring = now - _groups[index].Launched;
            Smoothed = Smoothed is { } smoothed ? smoothed + ((ring - smoothed) / 8) : ring;
            _groups.RemoveAt(index);
        }

        public void Leave(long number)
        {
            if (Find(number) is not (>= 0 and var index))
            {
                return;
            }

            var group = _groups[index];
            if (group.Sessions == 1)
            {
                _groups.RemoveAt(index);
            }
            else
            {
                _groups[index] = group with { Sessions = group.Sessions - 1 };
            }
        }

        public int CountInFlight(TimeSpan now) => _groups.Count - FirstInFlight(now);

        public TimeSpan NextDue(TimeSpan now) =>
            FirstInFlight(now) is var first && first < _groups.Count ? _groups[first].Launched + Late : TimeSpan.MaxValue;

        private int FirstInFlight(TimeSpan now)
        {
            var first = 0;
            var late = Late;
            while (first < _groups.Count && now - _groups[first].Launched >= late)
            {
                first++;
            }

            return first;
        }

        private int Find(long number)
        {
            for (var i = _groups.Count - 1; i >= 0; i--)
            {
                if (_groups[i].Number == number)
                {
                    return i;
                }
            }

            return -1;
        }
    }

    private readonly record struct Group(long Number, int Sessions, TimeSpan Launched);
}
