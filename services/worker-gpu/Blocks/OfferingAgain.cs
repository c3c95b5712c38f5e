namespace Parallax.Worker.Gpu.Blocks;

/// <summary>
/// When blocks are offered once more to a cache that may have lost them: each time that an instance has come or come back,
/// and at most so often. Thread-safe.
/// </summary>
/// <param name="least">The least time between two.</param>
internal sealed class OfferingAgain(TimeSpan least)
{
    private readonly Lock _gate = new(); // guards the writing of both below
    private long _arrivals;
    private long? _at;

    /// <summary>The generation (<see cref="Runtime.Blocks.IBlockExchange.Generation"/>) now.</summary>
    /// <param name="arrivals">Instances that have come or come back so far.</param>
    /// <param name="now">A timestamp.</param>
    /// <param name="frequency">Its ticks per second.</param>
    public long At(long arrivals, long now, long frequency)
    {
        if (Volatile.Read(ref _arrivals) == arrivals)
        {
            return arrivals;
        }

        lock (_gate)
        {
            if (_at is not { } before || now - before >= least.TotalSeconds * frequency)
            {
                (_arrivals, _at) = (Math.Max(_arrivals, arrivals), now);
            }

            return _arrivals;
        }
    }
}
