namespace Parallax.Router.Api;

/// <summary>
/// When a stream gets a comment: while nothing else is sent, so that nobody between takes it for dead, and while its
/// answer waits, to say so at once and then again and again. Not thread-safe.
/// </summary>
internal sealed class StreamComments(TimeProvider clock)
{
    /// <summary>How long a stream may be silent.</summary>
    public static readonly TimeSpan SilenceTime = TimeSpan.FromSeconds(15);

    /// <summary>How often a stream that waits says so.</summary>
    public static readonly TimeSpan WaitingTime = TimeSpan.FromSeconds(1);

    private long _lastSent = clock.GetTimestamp();
    private string? _said;

    /// <summary>Something else was sent.</summary>
    public void OnSent() => _lastSent = clock.GetTimestamp();

    /// <summary>The comment that is due, which counts as sent; null when none is.</summary>
    /// <param name="waiting">What the answer waits for; null when it does not.</param>
    public string? Take(string? waiting)
    {
        var isNews = waiting != _said;
        _said = waiting;
        var isDue = waiting is null ? Left(SilenceTime) <= TimeSpan.Zero : isNews || Left(WaitingTime) <= TimeSpan.Zero;
        if (!isDue)
        {
            return null;
        }

        OnSent();
        return waiting ?? "ping";
    }

    /// <summary>How long until <see cref="Take"/> is worth another call, if nothing changes.</summary>
    public TimeSpan UntilNext() => Left(_said is null ? SilenceTime : WaitingTime) is { Ticks: > 0 } left ? left : TimeSpan.Zero;

    private TimeSpan Left(TimeSpan time) => time - clock.GetElapsedTime(_lastSent);
}
