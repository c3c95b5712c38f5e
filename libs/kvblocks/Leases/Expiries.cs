namespace Parallax.KvBlocks.Leases;

/// <summary>Ids in order of the time at which they expire. Ids that are gone before are skipped when their turn comes. Not thread-safe.</summary>
internal sealed class Expiries
{
    private readonly PriorityQueue<long, TimeSpan> _queue = new();

    public void Add(long id, TimeSpan at) => _queue.Enqueue(id, at);

    /// <summary>The next id whose time is over.</summary>
    public bool TryTake(TimeSpan now, out long id)
    {
        if (_queue.TryPeek(out id, out var at) && at <= now)
        {
            _queue.Dequeue();
            return true;
        }

        return false;
    }
}
