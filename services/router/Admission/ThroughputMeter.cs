namespace Parallax.Router.Admission;

/// <summary>
/// The rate at which sessions end, from the last few ends up to now, so that it falls when nothing ends any more.
/// Pure: timestamps come in. Not thread-safe.
/// </summary>
internal sealed class ThroughputMeter
{
    private const int Window = 64;
    private readonly Queue<long> _ends = new(Window);

    /// <summary>A session ended.</summary>
    public void OnEnded(long now)
    {
        if (_ends.Count == Window)
        {
            _ends.Dequeue();
        }

        _ends.Enqueue(now);
    }

    /// <summary>Sessions per second; null before two have ended.</summary>
    public double? Rate(long now, long frequency)
    {
        if (_ends.Count < 2)
        {
            return null;
        }

        var span = Math.Max(1, now - _ends.Peek());
        return (_ends.Count - 1) * (double)frequency / span;
    }
}
