using Grpc.Net.Client;
using Parallax.Contracts.Identifiers;
using Parallax.Identity;

namespace Parallax.Swarm.Members;

/// <summary>One channel to each member, made when first needed. Thread-safe.</summary>
public sealed class MemberChannels(SwarmCredentials credentials) : IDisposable
{
    private readonly Lock _gate = new(); // guards _channels and _isDisposed
    private readonly Dictionary<PeerId, (Uri Address, GrpcChannel Channel)> _channels = [];
    private bool _isDisposed;

    /// <summary>A channel to a member; of whoever opened it.</summary>
    /// <param name="credentials">Whose.</param>
    /// <param name="address">Where.</param>
    /// <param name="expected">Who must answer; null for any member.</param>
    public static GrpcChannel Open(SwarmCredentials credentials, Uri address, PeerId? expected)
    {
        ArgumentNullException.ThrowIfNull(credentials);
        return GrpcChannel.ForAddress(address, new GrpcChannelOptions { HttpHandler = credentials.CreateHandler(expected), DisposeHttpClient = true });
    }

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

                var channel = Open(credentials, address, id);
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

    /// <inheritdoc/>
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
