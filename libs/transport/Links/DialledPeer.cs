using Grpc.Net.Client;

namespace Parallax.Transport.Links;

/// <summary>A peer that this hub dials.</summary>
internal sealed class DialledPeer(Uri address)
{
    private Uri _address = address;

    /// <summary>Where the next attempt goes.</summary>
    public Uri Address
    {
        get => Volatile.Read(ref _address);
        set => Volatile.Write(ref _address, value);
    }

    /// <summary>When it is dialled.</summary>
    public PeerDialer Dialer { get; set; } = null!;

    /// <summary>Dials whenever the link is down.</summary>
    public Task Loop { get; set; } = null!;

    /// <summary>The channel of the connection that was dialled last; the loop's.</summary>
    public GrpcChannel? Frames { get; set; }
}
