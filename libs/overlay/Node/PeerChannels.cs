using Grpc.Net.Client;
using Parallax.Contracts.Identifiers;
using Wire = Parallax.Contracts.V1;

namespace Parallax.Overlay.Node;

/// <summary>
/// Open channels to other peers, one per peer and address, at most <paramref name="capacity"/>, the one unused longest
/// going first. Thread-safe.
/// </summary>
internal sealed class PeerChannels(Func<Uri, PeerId?, GrpcChannel> dial, int capacity) : IDisposable
{
    private readonly Lock _gate = new(); // guards all that follows
    private readonly Dictionary<(PeerId?, Uri), PeerChannel> _channels = [];
    private readonly LinkedList<PeerChannel> _order = []; // unused longest first
    private bool _isClosed;

    /// <summary>A channel, to be given back with <see cref="Return"/>.</summary>
    public PeerChannel Rent(PeerId? peer, Uri address)
    {
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_isClosed, this);
            if (!_channels.TryGetValue((peer, address), out var channel))
            {
                MakeRoom();
                channel = new PeerChannel(peer, address, dial(address, peer));
                _channels.Add((peer, address), channel);
                channel.Place = _order.AddLast(channel);
            }

            _order.Remove(channel.Place!);
            _order.AddLast(channel.Place!);
            channel.Users++;
            return channel;
        }
    }

    public void Return(PeerChannel channel)
    {
        lock (_gate)
        {
            channel.Users--;
            if (channel is { Users: 0, IsDropped: true })
            {
                channel.Dispose();
            }
        }
    }

    /// <summary>Closes the channels to a peer as soon as no call is under way on them.</summary>
    public void Drop(PeerId peer, Uri address)
    {
        lock (_gate)
        {
            if (_channels.TryGetValue((peer, address), out var channel))
            {
                Drop(channel);
            }
        }
    }

    public void Dispose()
    {
        lock (_gate)
        {
            _isClosed = true;
            foreach (var channel in _channels.Values)
            {
                channel.Dispose();
            }

            _channels.Clear();
            _order.Clear();
        }
    }

    private void MakeRoom()
    {
        for (var place = _order.First; place is not null && _channels.Count >= capacity; place = _order.First)
        {
            // One that is in use is closed when its calls have ended.
            Drop(place.Value);
        }
    }

    private void Drop(PeerChannel channel)
    {
        _channels.Remove((channel.Peer, channel.Address));
        _order.Remove(channel.Place!);
        channel.IsDropped = true;
        if (channel.Users == 0)
        {
            channel.Dispose();
        }
    }
}

/// <summary>A channel with its client.</summary>
internal sealed class PeerChannel(PeerId? peer, Uri address, GrpcChannel channel) : IDisposable
{
    public PeerId? Peer => peer;

    public Uri Address => address;

    public Wire.Overlay.OverlayClient Client { get; } = new(channel);

    /// <summary>Calls under way. This and what follows belongs to <see cref="PeerChannels"/>.</summary>
    public int Users { get; set; }

    public bool IsDropped { get; set; }

    public LinkedListNode<PeerChannel>? Place { get; set; }

    public void Dispose() => channel.Dispose();
}
