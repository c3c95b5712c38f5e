namespace Parallax.Router.Routing;

/// <summary>
/// The places of all sessions of a request. Each session takes its own and releases it when it ends; disposing releases
/// those that nobody has taken, so that a request that fails before it opens its sessions leaves nothing behind.
/// </summary>
internal sealed class PathReservation : IDisposable
{
    private readonly SessionReservation[] _sessions;
    private int _taken;
    private int _disposed;

    internal PathReservation(SessionReservation[] sessions) => _sessions = sessions;

    /// <summary>The next session's places: from here on its owner releases them.</summary>
    /// <exception cref="InvalidOperationException">All have been taken, or it was disposed.</exception>
    public SessionReservation Take()
    {
        ObjectDisposedException.ThrowIf(Volatile.Read(ref _disposed) != 0, this);
        return _taken < _sessions.Length
            ? _sessions[_taken++]
            : throw new InvalidOperationException($"the path was reserved for {_sessions.Length} sessions");
    }

    public void Dispose()
    {
        if (Interlocked.Exchange(ref _disposed, 1) == 0)
        {
            foreach (var session in _sessions.AsSpan(_taken))
            {
                session.Dispose();
            }
        }
    }
}
