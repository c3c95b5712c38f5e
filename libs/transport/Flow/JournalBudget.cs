namespace Parallax.Transport.Flow;

/// <summary>Bytes that all journals of a worker may hold together. Thread-safe.</summary>
public sealed class JournalBudget
{
    private long _used;

    /// <summary>A budget of <paramref name="bytes"/>.</summary>
    public JournalBudget(long bytes)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(bytes);
        Bytes = bytes;
    }

    /// <summary>The bound.</summary>
    public long Bytes { get; }

    /// <summary>Bytes held.</summary>
    public long Used => Interlocked.Read(ref _used);

    internal bool TryTake(int bytes)
    {
        if (Interlocked.Add(ref _used, bytes) <= Bytes)
        {
            return true;
        }

        Interlocked.Add(ref _used, -bytes);
        return false;
    }

    internal void Release(int bytes) => Interlocked.Add(ref _used, -bytes);
}
