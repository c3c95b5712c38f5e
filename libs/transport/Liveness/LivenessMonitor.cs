namespace Parallax.Transport.Liveness;

/// <summary>What a link thinks of its peer.</summary>
public enum PeerLiveness
{
    /// <summary>Heard lately.</summary>
    Alive,

    /// <summary>Two periods without a sign of life.</summary>
    Suspect,

    /// <summary>Four periods without a sign of life.</summary>
    Dead,
}

/// <summary>
/// Judges a peer by the gaps between its signs of life: suspect after 2 missed periods, dead after 4, where a missed
/// period is the heartbeat period plus four times the measured jitter (mean deviation of the gaps between heartbeats from
/// the period), at most doubled. Any byte received is a sign of life. Pure: time is a parameter. Not thread-safe.
/// </summary>
public sealed class LivenessMonitor
{
    private const int SuspectPeriods = 2;
    private const int DeadPeriods = 4;
    private const double JitterGain = 1.0 / 16;

    private readonly TimeSpan _period;
    private TimeSpan _lastSign;
    private TimeSpan _lastHeartbeat;
    private double _jitterMs;

    /// <summary>A peer heard at <paramref name="now"/>, a reading of a monotonic clock, that beats once every <paramref name="period"/>.</summary>
    public LivenessMonitor(TimeSpan period, TimeSpan now)
    {
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(period, TimeSpan.Zero);
        (_period, _lastSign, _lastHeartbeat) = (period, now, now);
    }

    /// <summary>The verdict of the last <see cref="Evaluate"/>.</summary>
    public PeerLiveness Liveness { get; private set; }

    /// <summary>Mean deviation of heartbeat gaps from the period.</summary>
    public TimeSpan Jitter => TimeSpan.FromMilliseconds(_jitterMs);

    /// <summary>A period with its allowance for jitter.</summary>
    public TimeSpan AllowedPeriod =>
        TimeSpan.FromMilliseconds(Math.Min(2 * _period.TotalMilliseconds, _period.TotalMilliseconds + (4 * _jitterMs)));

    /// <summary>A heartbeat (ping or answer) came.</summary>
    public void OnHeartbeat(TimeSpan now)
    {
        var gap = (now - _lastHeartbeat).TotalMilliseconds;
        // A gap of many periods is an outage, not jitter: it must not make the next outage look normal.
        if (gap <= DeadPeriods * _period.TotalMilliseconds)
        {
            _jitterMs += (Math.Abs(gap - _period.TotalMilliseconds) - _jitterMs) * JitterGain;
        }

        _lastHeartbeat = now;
        OnActivity(now);
    }

    /// <summary>Any byte came.</summary>
    public void OnActivity(TimeSpan now) => _lastSign = now > _lastSign ? now : _lastSign;

    /// <summary>The verdict at <paramref name="now"/>. Dead is final: a new connection gets a new monitor.</summary>
    public PeerLiveness Evaluate(TimeSpan now)
    {
        if (Liveness == PeerLiveness.Dead)
        {
            return Liveness;
        }

        var missed = (now - _lastSign) / AllowedPeriod;
        Liveness = missed >= DeadPeriods ? PeerLiveness.Dead
            : missed >= SuspectPeriods ? PeerLiveness.Suspect
            : PeerLiveness.Alive;
        return Liveness;
    }
}
