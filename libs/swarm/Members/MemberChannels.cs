using Grpc.Net.Client;
using Parallax.Contracts.Identifiers;

namespace Parallax.Swarm.Members;

/// <summary>Opens a channel to a member of whom that id is expected; null expects nobody in particular.</summary>
public delegate GrpcChannel MemberDialler(Uri address, PeerId? expected);

/// <summary>One channel to each member, made when first needed. Thread-safe.</summary>
internal sealed class MemberChannels(MemberDialler dial) : IDisposable
{
    private readonly Lock _gate = new(); // guards _channels and _isDisposed
    private readonly Dictionary<PeerId, (Uri Address, GrpcChannel Channel)> _channels = [];
    private bool _isDisposed;

    /// <summary>The channel to a member; another one when its address has changed.</summary>
    public GrpcChannel Get(PeerId id, Uri address)
    {
        GrpcChannel? stale = null;
        try
        {
            lock (_gate)
            {
                ObjectDisposedException.ThrowIf(_isDisposed, this);
                if (_channels.TryGetValue(id, out var known))
                {
                    if (known.Address == address)
                    {
                        return known.Channel;
                    }

                    stale = known.Channel;
                }

                var channel = dial(address, id);
                _channels[id] = (address, channel);
                return channel;
            }
        }
        finally
        {
            stale?.Dispose();
        }
    }

    /// <summary>Closes the channels of all but these.</summary>
    public void Keep(IReadOnlySet<PeerId> members)
    {
        List<GrpcChannel> closed;
        lock (_gate)
        {
            var gone = _channels.Keys.Where(id => !members.Contains(id)).ToList();
            closed = [.. gone.Select(id => _channels[id].Channel)];
            gone.ForEach(id => _channels.Remove(id));
        }

        closed.ForEach(static channel => channel.Dispose());
    }

    public void Dispose()
    {
        List<GrpcChannel> closed;
        lock (_gate)
        {
            _isDisposed = true;
            closed = [.. _channels.Values.Select(static known => known.Channel)];
            _channels.Clear();
        }

        closed.ForEach(static channel => channel.Dispose());
    }
}
