namespace Parallax.Transport.Liveness;

/// <summary>Round trips of the last 64 heartbeats.</summary>
/// <param name="Samples">How many were measured; 0: the others mean nothing.</param>
/// <param name="Minimum">Smallest.</param>
/// <param name="Median">Median.</param>
/// <param name="Jitter">Mean deviation from the median.</param>
public readonly record struct RoundTrip(int Samples, TimeSpan Minimum, TimeSpan Median, TimeSpan Jitter);

/// <summary>Keeps the last 64 round trips. Not thread-safe; not on a hot path.</summary>
public sealed class RoundTripWindow
{
    private const int Size = 64;

    private readonly TimeSpan[] _samples = new TimeSpan[Size];
    private int _count;

    /// <summary>Adds a round trip; a negative one (a broken clock) counts as none.</summary>
    public void Add(TimeSpan roundTrip)
    {
        if (roundTrip >= TimeSpan.Zero)
        {
            _samples[_count++ % Size] = roundTrip;
            _count = _count == 2 * Size ? Size : _count;
        }
    }

    /// <summary>Minimum, median and jitter of what is kept.</summary>
    public RoundTrip Summarise()
    {
        var count = Math.Min(_count, Size);
        if (count == 0)
        {
            return default;
        }

        var sorted = _samples[..count];
        Array.Sort(sorted);
        var median = sorted[count / 2];
        var deviation = TimeSpan.Zero;
        foreach (var sample in sorted)
        {
            deviation += (sample - median).Duration();
        }

        return new RoundTrip(count, sorted[0], median, deviation / count);
    }
}
