using Parallax.Contracts.Identifiers;

namespace Parallax.Identity.Connections;

/// <summary>
/// Connections that are open with members, so that those of a revoked one can be closed. Holds no more than there are
/// connections: accepted ones are taken out at their end, dialled ones are held weakly. Thread-safe.
/// </summary>
internal sealed class ConnectionRegistry
{
    private readonly Lock _gate = new(); // guards both collections
    private readonly HashSet<AcceptedConnection> _accepted = [];
    private readonly List<(PeerId Peer, WeakReference<Stream> Stream)> _dialled = [];
    private int _sweepAt = 64;

    /// <summary>Connections now known, for tests and gauges.</summary>
    public int Count
    {
        get
        {
            lock (_gate)
            {
                return _accepted.Count + _dialled.Count;
            }
        }
    }

    public void Add(AcceptedConnection connection)
    {
        lock (_gate)
        {
            _accepted.Add(connection);
        }
    }

    public void Remove(AcceptedConnection connection)
    {
        lock (_gate)
        {
            _accepted.Remove(connection);
        }
    }

    /// <summary>A connection that this side dialled; whoever uses the stream disposes it.</summary>
    public void Add(PeerId peer, Stream stream)
    {
        lock (_gate)
        {
            if (_dialled.Count >= _sweepAt)
            {
                _dialled.RemoveAll(static held => !held.Stream.TryGetTarget(out var alive) || !alive.CanRead);
                _sweepAt = Math.Max(64, 2 * _dialled.Count);
            }

            _dialled.Add((peer, new WeakReference<Stream>(stream)));
        }
    }

    /// <summary>Closes connections with the peers that are named.</summary>
    public void CloseWhere(Predicate<PeerId> named)
    {
        List<Stream> streams = [];
        List<AcceptedConnection> accepted;
        lock (_gate)
        {
            foreach (var (_, weak) in _dialled.Where(held => named(held.Peer)))
            {
                if (weak.TryGetTarget(out var stream))
                {
                    streams.Add(stream);
                }
            }

            _dialled.RemoveAll(held => named(held.Peer));
            accepted = [.. _accepted];
        }

        streams.ForEach(static stream => stream.Dispose());
        accepted.ForEach(connection => connection.CloseIf(named));
    }
}
