namespace Parallax.Swarm.Telemetry;

/// <summary>Makes connections to a server.</summary>
internal interface INewsWire
{
    /// <summary>Connects and subscribes to the swarm's subjects; what arrives goes to <paramref name="inbox"/>.</summary>
    /// <exception cref="NewsWireException">That failed; the message says why and what to do.</exception>
    Task<INewsConnection> ConnectAsync(Uri server, NewsInbox inbox, CancellationToken cancellationToken);
}
