namespace Parallax.Router.Sessions;

/// <summary>What the watch on a session wants done.</summary>
internal enum WatchVerdict
{
    /// <summary>All is as expected.</summary>
    Fine,

    /// <summary>The next token is late: ask the worker.</summary>
    Probe,

    /// <summary>The worker does not answer: the connection is broken.</summary>
    BrokenLink,

    /// <summary>The worker answers, but computes nothing.</summary>
    Stalled,
}

/// <summary>The watch's times.</summary>
/// <param name="Least">The next token is never late before this (rule 10: 1 s).</param>
/// <param name="ProbeReply">How long a reply to a probe may take.</param>
/// <param name="Stall">How long a worker may answer probes without computing a step.</param>
internal sealed record WatchLimits(TimeSpan Least, TimeSpan ProbeReply, TimeSpan Stall);

/// <summary>
/// Watches one session (session protocol, rule 10): the next token later than max(1 s, 8 x expected) is asked about.
/// Pure: timestamps come in. Not thread-safe.
/// </summary>
internal sealed class SessionWatch
{
    private const double LateFactor = 8;
    private const double Smoothing = 0.2;

    private long _quietSince;
    private long _lastToken;
    private long _stepsSince;
    private long _steps = -1;
    private double _expectedSeconds;
    private long _nonce;
    private long? _askedAt;
    private bool _probeDue;

    /// <summary>A new connection, or a new beginning: nothing is late now.</summary>
    public void Reset(long now)
    {
        _quietSince = _lastToken = _stepsSince = now;
        _steps = -1;
        _askedAt = null;
        _probeDue = false;
    }

    /// <summary>Tokens arrived.</summary>
    public void OnToken(long now, long frequency, int count)
    {
        if (count > 0 && _lastToken != 0)
        {
            var seconds = (double)(now - _lastToken) / frequency / count;
            _expectedSeconds = _expectedSeconds == 0 ? seconds : _expectedSeconds + (Smoothing * (seconds - _expectedSeconds));
        }

        _lastToken = now;
        OnProgress(now);
    }

    /// <summary>The session moved, here or at the worker.</summary>
    public void OnProgress(long now)
    {
        _quietSince = _stepsSince = now;
        _askedAt = null;
        _probeDue = false;
    }

    /// <summary>The nonce of a probe that is to be sent, once.</summary>
    public long? TakeProbe()
    {
        if (!_probeDue)
        {
            return null;
        }

        _probeDue = false;
        return _nonce;
    }

    /// <summary>A probe was answered.</summary>
    /// <returns>Whether it is the one that was waited for.</returns>
    public bool OnReply(long now, long nonce, long steps)
    {
        if (_askedAt is null || nonce != _nonce)
        {
            return false;
        }

        _askedAt = null;
        _quietSince = now;
        if (steps != _steps)
        {
            _steps = steps;
            _stepsSince = now;
        }

        return true;
    }

    /// <summary>Decides what to do now.</summary>
    /// <param name="now">The present timestamp.</param>
    /// <param name="frequency">Timestamps per second.</param>
    /// <param name="waiting">Whether the worker owes the next token.</param>
    /// <param name="limits">The times.</param>
    public WatchVerdict Tick(long now, long frequency, bool waiting, WatchLimits limits)
    {
        if (!waiting)
        {
            OnProgress(now);
            return WatchVerdict.Fine;
        }

        if (_askedAt is { } asked)
        {
            return Seconds(asked) > limits.ProbeReply.TotalSeconds ? WatchVerdict.BrokenLink : WatchVerdict.Fine;
        }

        if (_steps >= 0 && Seconds(_stepsSince) > limits.Stall.TotalSeconds)
        {
            return WatchVerdict.Stalled;
        }

        if (Seconds(_quietSince) <= Math.Max(limits.Least.TotalSeconds, LateFactor * _expectedSeconds))
        {
            return WatchVerdict.Fine;
        }

        _askedAt = now;
        _nonce++;
        _probeDue = true;
        return WatchVerdict.Probe;

        double Seconds(long since) => (double)(now - since) / frequency;
    }
}
