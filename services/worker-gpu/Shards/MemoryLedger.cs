namespace Parallax.Worker.Gpu.Shards;

/// <summary>
/// Accounts the memory of shards: what is reserved stays below the limit, and is reserved before it is taken. Several
/// workers of one process may share a ledger. Thread-safe.
/// </summary>
public sealed class MemoryLedger
{
    private readonly Lock _gate = new(); // guards _used
    private long _used;

    /// <param name="limit">Bytes for all shards; null takes 80 % of what this process may use.</param>
    public MemoryLedger(long? limit = null)
    {
        Limit = limit ?? GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / 10 * 8;
        ArgumentOutOfRangeException.ThrowIfNegative(Limit, nameof(limit));
    }

    /// <summary>Bytes for all shards.</summary>
    public long Limit { get; }

    /// <summary>Bytes reserved.</summary>
    public long Used
    {
        get
        {
            lock (_gate)
            {
                return _used;
            }
        }
    }

    /// <summary>Reserves bytes if they fit.</summary>
    /// <param name="bytes">How many.</param>
    /// <param name="free">What was free before.</param>
    internal bool TryReserve(long bytes, out long free)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(bytes);
        lock (_gate)
        {
            free = Limit - _used;
            if (bytes > free)
            {
                return false;
            }

            _used += bytes;
            return true;
        }
    }

    /// <summary>Gives reserved bytes back.</summary>
    internal void Release(long bytes)
    {
        lock (_gate)
        {
            _used -= bytes;
        }
    }
}
