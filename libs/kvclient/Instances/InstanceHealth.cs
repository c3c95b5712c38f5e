namespace Parallax.KvClient.Instances;

/// <summary>How an instance has answered of late. Thread-safe.</summary>
/// <param name="options">Times.</param>
/// <param name="onReturned">Told when it answers after it had failed; called under a lock.</param>
internal sealed class InstanceHealth(KvClientOptions options, Action? onReturned = null)
{
    private readonly Lock _gate = new(); // guards all below
    private TimeSpan _brokenUntil = TimeSpan.MinValue;
    private TimeSpan _break;
    private TimeSpan? _roundTrip;

    /// <summary>Smoothed time of a question and its answer; the longest there is when none has been asked yet.</summary>
    public TimeSpan RoundTrip
    {
        get
        {
            lock (_gate)
            {
                return _roundTrip ?? TimeSpan.MaxValue;
            }
        }
    }

    /// <summary>Whether it is worth asking.</summary>
    public bool IsUsable(TimeSpan now)
    {
        lock (_gate)
        {
            return now >= _brokenUntil;
        }
    }

    /// <summary>It answered.</summary>
    /// <param name="roundTrip">How soon; null for a call whose time says nothing.</param>
    public void OnAnswered(TimeSpan? roundTrip)
    {
        lock (_gate)
        {
            if (_break != TimeSpan.Zero)
            {
                _break = TimeSpan.Zero;
                onReturned?.Invoke();
            }

            if (roundTrip is { } time)
            {
                _roundTrip = _roundTrip is { } before ? before + ((time - before) / 4) : time;
            }
        }
    }

    /// <summary>It did not, or not in time.</summary>
    public void OnFailed(TimeSpan now)
    {
        lock (_gate)
        {
            if (now < _brokenUntil)
            {
                return; // one of several calls that failed together
            }

            _break = _break == TimeSpan.Zero ? options.FirstBreak : TimeSpan.FromTicks(Math.Min(2 * _break.Ticks, options.LongestBreak.Ticks));
            _brokenUntil = now + _break;
        }
    }
}
