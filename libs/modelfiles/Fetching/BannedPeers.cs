namespace Parallax.ModelFiles.Fetching;

/// <summary>Peers that sent wrong bytes; they are not asked again while this process runs. Thread-safe, bounded.</summary>
internal sealed class BannedPeers
{
    private const int Most = 4096;

    private readonly Lock _gate = new(); // guards both
    private readonly HashSet<string> _banned = new(StringComparer.Ordinal);
    private readonly Queue<string> _order = new();

    /// <summary>Whether a peer is not to be asked.</summary>
    public bool Contains(ModelPeer peer)
    {
        lock (_gate)
        {
            return _banned.Contains(KeyOf(peer));
        }
    }

    /// <summary>Takes note of a peer; the oldest is forgiven when there are too many.</summary>
    public void Add(ModelPeer peer)
    {
        lock (_gate)
        {
            if (_banned.Add(KeyOf(peer)))
            {
                _order.Enqueue(KeyOf(peer));
                if (_order.Count > Most)
                {
                    _banned.Remove(_order.Dequeue());
                }
            }
        }
    }

    /// <summary>A peer is its key; without one, its address.</summary>
    private static string KeyOf(ModelPeer peer) => peer.Id?.ToString() ?? peer.Address.Authority;
}
