namespace Parallax.ModelFiles.Serving;

/// <summary>Counts streams that run. Thread-safe.</summary>
/// <param name="most">At once.</param>
internal sealed class ServeSlots(int most)
{
    private int _taken;

    /// <summary>At once.</summary>
    public int Most => most;

    /// <summary>A place, given back when it is disposed; null when all are taken.</summary>
    public Slot? TryTake()
    {
        if (Interlocked.Increment(ref _taken) <= most)
        {
            return new Slot(this);
        }

        Interlocked.Decrement(ref _taken);
        return null;
    }

    internal sealed class Slot(ServeSlots slots) : IDisposable
    {
        private int _disposed;

        public void Dispose()
        {
            if (Interlocked.Exchange(ref _disposed, 1) == 0)
            {
                Interlocked.Decrement(ref slots._taken);
            }
        }
    }
}
