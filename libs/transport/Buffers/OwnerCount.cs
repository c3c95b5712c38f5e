namespace Parallax.Transport.Buffers;

/// <summary>How many hold a pooled thing: each gives it up once, and the last one's giving up returns it to its pool. Thread-safe; a field, never a copy.</summary>
internal struct OwnerCount
{
    private int _owners;

    /// <summary>There is one owner from now on.</summary>
    public void Open() => Volatile.Write(ref _owners, 1);

    /// <summary>There is one owner more.</summary>
    /// <exception cref="ObjectDisposedException">There was none left.</exception>
    public void Add(object owned)
    {
        while (true)
        {
            var owners = Volatile.Read(ref _owners);
            ObjectDisposedException.ThrowIf(owners <= 0, owned);
            if (Interlocked.CompareExchange(ref _owners, owners + 1, owners) == owners)
            {
                return;
            }
        }
    }

    /// <summary>One owner gives it up.</summary>
    /// <param name="name">The thing's type.</param>
    /// <param name="what">The thing, for people.</param>
    /// <returns>Whether it was the last.</returns>
    /// <exception cref="ObjectDisposedException">There was none left.</exception>
    public bool Release(string name, string what)
    {
        var owners = Interlocked.Decrement(ref _owners);
        if (owners < 0)
        {
            Interlocked.Increment(ref _owners);
            throw new ObjectDisposedException(name, $"{what} was disposed more often than it had owners.");
        }

        return owners == 0;
    }

    /// <exception cref="ObjectDisposedException">Nobody holds it.</exception>
    public readonly void ThrowIfNone(object owned) => ObjectDisposedException.ThrowIf(Volatile.Read(in _owners) <= 0, owned);
}
