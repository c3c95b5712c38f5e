namespace Parallax.Runtime.Blocks;

/// <summary>
/// Whether blocks are fetched or computed: what an exchange has been measured to take against what this shard has been
/// measured to take. Pure: times are parameters.
/// </summary>
internal sealed class RestoreEstimate
{
    private static readonly TimeSpan FirstPause = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan ShortestWait = TimeSpan.FromMilliseconds(50);

    private const double Weight = 0.25;

    private double _latency = -1;       // seconds until the first block; below 0: not measured
    private double _bytesPerSecond = -1; // after it
    private TimeSpan _pausedUntil;
    private TimeSpan _pause = FirstPause;

    /// <summary>
    /// Whether fetching takes less time than computing. What is not known on either side is found out by fetching.
    /// </summary>
    /// <param name="positions">Positions that are missing.</param>
    /// <param name="secondsPerPosition">Time of a prompt's position through these layers; 0: not measured.</param>
    /// <param name="bytesPerPosition">What a position weighs on the wire.</param>
    /// <param name="latency">Seconds until the first block comes; below 0: not measured.</param>
    /// <param name="bytesPerSecond">After that; below 0: not measured.</param>
    public static bool IsCheaper(int positions, double secondsPerPosition, double bytesPerPosition, double latency, double bytesPerSecond)
    {
        var fetch = Math.Max(0, latency) + (bytesPerSecond > 0 ? positions * bytesPerPosition / bytesPerSecond : 0);
        return positions > 0 && (secondsPerPosition <= 0 || fetch < positions * secondsPerPosition);
    }

    /// <summary>As <see cref="IsCheaper"/>, and the exchange has not just failed.</summary>
    public bool IsWorthwhile(int positions, double secondsPerPosition, double bytesPerPosition, TimeSpan now) =>
        now >= _pausedUntil && IsCheaper(positions, secondsPerPosition, bytesPerPosition, _latency, _bytesPerSecond);

    /// <summary>Seconds that a position takes to come, as measured; 0 when nothing has been, or the exchange has failed of late.</summary>
    /// <param name="bytesPerPosition">What a position weighs on the wire.</param>
    /// <param name="now">The present.</param>
    public double SecondsPerPosition(double bytesPerPosition, TimeSpan now) => now >= _pausedUntil && _bytesPerSecond > 0 ? bytesPerPosition / _bytesPerSecond : 0;

    /// <summary>How long to wait for blocks: no longer than computing them takes, within bounds.</summary>
    public static TimeSpan TimeFor(int positions, double secondsPerPosition, TimeSpan most)
    {
        if (secondsPerPosition <= 0)
        {
            return most;
        }

        var computing = TimeSpan.FromSeconds(Math.Min(most.TotalSeconds, positions * secondsPerPosition));
        return computing > ShortestWait ? computing : ShortestWait < most ? ShortestWait : most;
    }

    /// <summary>An exchange has answered.</summary>
    /// <param name="first">Time until the first block was in, or until it said that it has none.</param>
    /// <param name="bytes">Bytes of the blocks after the first.</param>
    /// <param name="rest">The time that these took.</param>
    public void Answered(TimeSpan first, long bytes, TimeSpan rest)
    {
        Average(ref _latency, first.TotalSeconds);
        if (bytes > 0 && rest > TimeSpan.Zero)
        {
            Average(ref _bytesPerSecond, bytes / rest.TotalSeconds);
        }

        (_pause, _pausedUntil) = (FirstPause, TimeSpan.Zero);
    }

    /// <summary>It has failed, or nothing came in time: it is left alone for a while, each time longer.</summary>
    public void Failed(TimeSpan now)
    {
        _pausedUntil = now + _pause;
        _pause = _pause * 2 < LongestPause ? _pause * 2 : LongestPause;
    }

    private static void Average(ref double average, double value) => average = average < 0 ? value : average + (Weight * (value - average));
}
